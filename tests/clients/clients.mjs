// One conversation through one SDK, as an application would write it. Prints what came of it as JSON.
//
// usage: node clients.mjs openai|vercel|langchain BASE_URL MODEL
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const [sdk, baseURL, model] = process.argv.slice(2);
const apiKey = "sk-proj-an-applications-own-key";
const prompt = "Write one sentence about rivers.";
const limit = 16;

const conversations = {
    async openai() {
        const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
        const messages = [{ role: "user", content: prompt }];
        const plain = await client.chat.completions.create({ model, messages, max_tokens: limit });
        const stream = await client.chat.completions.create({
            model, messages, max_tokens: limit, stream: true, stream_options: { include_usage: true },
        });
        let streamed = "";
        let usage = null;
        for await (const part of stream) {
            streamed += part.choices[0]?.delta?.content ?? "";
            usage = part.usage ?? usage;
        }
        const models = [];
        for await (const m of client.models.list()) models.push(m.id);
        const one = await client.models.retrieve(model);
        return {
            plain: plain.choices[0].message.content, input: plain.usage.prompt_tokens, output: plain.usage.completion_tokens,
            streamed, streamOutput: usage.completion_tokens, models, one: one.id,
        };
    },

    async vercel() {
        const provider = createOpenAICompatible({ name: "weir", baseURL, apiKey, includeUsage: true });
        const options = { model: provider(model), prompt, maxOutputTokens: limit, maxRetries: 0 };
        const plain = await generateText(options);
        const stream = streamText({ ...options, onError({ error }) { throw error; } });
        let streamed = "";
        for await (const part of stream.textStream) streamed += part;
        const usage = await stream.usage;
        return {
            plain: plain.text, input: plain.usage.inputTokens, output: plain.usage.outputTokens,
            streamed, streamOutput: usage.outputTokens,
        };
    },

    async langchain() {
        const chat = new ChatOpenAI({ model, apiKey, maxTokens: limit, maxRetries: 0, configuration: { baseURL } });
        const plain = await chat.invoke(prompt);
        let streamed = "";
        let usage = null;
        for await (const part of await chat.stream(prompt)) {
            streamed += part.text ?? part.content;
            usage = part.usage_metadata ?? usage;
        }
        return {
            plain: plain.content, input: plain.usage_metadata.input_tokens, output: plain.usage_metadata.output_tokens,
            streamed, streamOutput: usage.output_tokens,
        };
    },
};

console.log(JSON.stringify(await conversations[sdk]()));

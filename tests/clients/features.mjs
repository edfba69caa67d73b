// One feature through one SDK of another vendor than the one that answers. Prints what came of it as JSON.
//
// usage: node features.mjs SDK BASE_URL MODEL plain|stream|tools|error      BASE_URL without /v1
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { generateText, jsonSchema, streamText, tool } from "ai";

const [sdk, root, model, feature] = process.argv.slice(2);
const apiKey = "sk-proj-an-applications-own-key";
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

async function anthropic(version) {
    const client = new Anthropic({ baseURL: root, apiKey, maxRetries: 0, defaultHeaders: version ? { "anthropic-version": version } : {} });
    const ask = { model, max_tokens: 64, messages: [{ role: "user", content: "hi" }] };
    if (feature === "tools") ask.tools = [{ name: "weather", description: "d", input_schema: schema }];
    const m = feature === "stream" ? await client.messages.stream(ask).finalMessage() : await client.messages.create(ask);
    return {
        text: m.content.filter((b) => b.type === "text").map((b) => b.text).join(""), finish: m.stop_reason, output: m.usage.output_tokens,
        calls: m.content.filter((b) => b.type === "tool_use").map((b) => [b.name, b.input]),
    };
}

async function google() {
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: root } });
    const config = feature === "tools" ? { tools: [{ functionDeclarations: [{ name: "weather", description: "d", parametersJsonSchema: schema }] }] } : {};
    const ask = { model, contents: "hi", config };
    let parts = [];
    let last;
    if (feature === "stream") {
        for await (const c of await client.models.generateContentStream(ask)) {
            parts.push(...(c.candidates?.[0]?.content?.parts ?? []));
            last = c;
        }
    } else {
        last = await client.models.generateContent(ask);
        parts = last.candidates[0].content.parts;
    }
    return {
        text: parts.map((p) => p.text ?? "").join(""), finish: last.candidates[0].finishReason, output: last.usageMetadata.candidatesTokenCount,
        calls: parts.filter((p) => p.functionCall).map((p) => [p.functionCall.name, p.functionCall.args]),
    };
}

async function vercel(provider) {
    const options = { model: provider(model), prompt: "hi", maxRetries: 0 };
    if (feature === "tools") options.tools = { weather: tool({ description: "d", inputSchema: jsonSchema(schema) }) };
    if (feature === "stream") {
        let text = "";
        const s = streamText({ ...options, onError({ error }) { throw error; } });
        for await (const part of s.textStream) text += part;
        return { text, finish: await s.finishReason, output: (await s.usage).outputTokens, calls: [] };
    }
    const r = await generateText(options);
    return { text: r.text, finish: r.finishReason, output: r.usage.outputTokens, calls: r.toolCalls.map((c) => [c.toolName, c.input]) };
}

const sdks = {
    "anthropic": () => anthropic(),
    "anthropic-old": () => anthropic("2023-01-01"),
    "google": google,
    "vercel-openai": () => vercel(createOpenAI({ baseURL: `${root}/v1`, apiKey })),
    "vercel-anthropic": () => vercel(createAnthropic({ baseURL: `${root}/v1`, apiKey })),
    "vercel-google": () => vercel(createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey })),
};

try {
    console.log(JSON.stringify(await sdks[sdk]()));
} catch (e) {
    console.log(JSON.stringify({ error: e.constructor.name, status: e.status ?? e.statusCode ?? null }));
}

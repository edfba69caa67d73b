#!/usr/bin/env python3
"""Makes prices.csv from LiteLLM's table of model prices. Can be run again whenever that table changes.

usage: conf/prices/from_litellm.py model_prices_and_context_window.json DATE > conf/prices/prices.csv
       DATE is the table's day, like 2026-08-01

Figures are US dollars per million tokens, rounded to the nano-dollar. Rows are sorted
by their bytes. A price that is missing or 0 there is unknown here, never free: such rows are left out, or
keep what is known of the model with empty prices.
"""
import json
import sys
from decimal import Decimal

# LiteLLM's provider: weir's presets of the same vendor.
PRESETS = {
    "openai": ["openai"], "text-completion-openai": ["openai"], "azure": ["azure", "azure-v1"], "azure_ai": ["azure-v1"],
    "anthropic": ["anthropic"], "gemini": ["gemini"], "vertex_ai": ["vertex"], "vertex_ai-language-models": ["vertex"],
    "vertex_ai-anthropic_models": ["vertex"], "vertex_ai-mistral_models": ["vertex"], "vertex_ai-llama_models": ["vertex"],
    "vertex_ai-embedding-models": ["vertex"], "vertex_ai-deepseek_models": ["vertex"], "vertex_ai-qwen_models": ["vertex"],
    "vertex_ai-openai_models": ["vertex"], "bedrock": ["bedrock"], "bedrock_converse": ["bedrock"],
    "bedrock_mantle": ["bedrock-mantle"], "mistral": ["mistral"], "codestral": ["mistral"], "groq": ["groq"],
    "deepseek": ["deepseek"], "xai": ["xai"], "together_ai": ["together"], "fireworks_ai": ["fireworks"],
    "fireworks_ai-embedding-models": ["fireworks"], "openrouter": ["openrouter"], "perplexity": ["perplexity"],
    "cerebras": ["cerebras"], "nvidia_nim": ["nvidia"], "cohere": ["cohere"], "cohere_chat": ["cohere"],
    "dashscope": ["alibaba"], "zai": ["zai"], "moonshot": ["moonshot"], "minimax": ["minimax"], "volcengine": ["volcengine"],
    "databricks": ["databricks"], "cloudflare": ["cloudflare"], "sambanova": ["sambanova"], "deepinfra": ["deepinfra"],
    "vercel_ai_gateway": ["vercel"], "voyage": ["voyage"], "nebius": ["nebius"], "baseten": ["baseten"], "novita": ["novita"],
    "hyperbolic": ["hyperbolic"],
}
MODES = {"chat": "chat", "responses": "responses", "completion": "chat", "embedding": "embedding", "rerank": "rerank",
         "moderation": "moderation", "audio_transcription": "audio", "audio_speech": "audio", "image_generation": "image"}
# prices.csv: LiteLLM, in dollars per token.
RATES = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cached_input": "cache_read_input_token_cost",
         "cache_write": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
         "reasoning": "output_cost_per_reasoning_token", "audio_input": "input_cost_per_audio_token",
         "audio_output": "output_cost_per_audio_token", "image_input": "input_cost_per_image_token"}
FEATURES = {"tools": "supports_function_calling", "vision": "supports_vision", "audio": "supports_audio_input",
            "json_schema": "supports_response_schema", "reasoning": "supports_reasoning"}
COLUMNS = ["model", "mode", *RATES, "request", "context", "max_output", "features", "retires", "above", "flex", "priority", "batch"]


def figure(entry, name, scale=1000000):
    value = entry.get(name)
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except ArithmeticError:
            return ""
    if not value or value < 0:
        return ""
    value = (Decimal(value) * scale).quantize(Decimal("1e-9")).normalize()
    return f"{value:f}"


def three(entry, ending):
    """input/output/cached of one tier; empty when it has none."""
    parts = [figure(entry, name + ending) for name in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")]
    return "/".join(parts) if parts[0] and parts[1] else ""


def above(entry):
    """Prices of the whole request when its prompt is longer: 200000:input/output/cached, separated by blanks."""
    tiers = []
    for k in (128, 200, 256, 272, 512):
        parts = three(entry, f"_above_{k}k_tokens")
        if parts:
            tiers.append(f"{k}000:{parts}")
    return " ".join(tiers[:3])


def ranges(entry):
    """tiered_pricing as (first range's entry, further ranges as above() has them)."""
    tiers = sorted((t for t in entry["tiered_pricing"] if isinstance(t, dict) and "range" in t), key=lambda t: t["range"][0])
    first = {**entry, **{k: v for k, v in tiers[0].items() if k != "range"}} if tiers else entry
    return first, " ".join(f"{int(t['range'][0])}:{three(t, '')}" for t in tiers[1:4] if three(t, ""))


def limit(entry, *names):
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and value > 0:
            return str(value)
    return ""


def model_of(name, provider):
    """The vendor's own name for it, or None for rows of one region or size."""
    own = {"gemini": "gemini/", "azure_ai": "azure_ai/", "azure": "azure/", "openrouter": "openrouter/", "together_ai": "together_ai/"}
    prefix = own.get(provider, provider.split("-")[0] + "/")
    if name.startswith(prefix):
        name = name[len(prefix):]
    for other in ("vertex_ai/", "bedrock/", "bedrock_converse/", "text-completion-openai/", "cohere_chat/", "fireworks_ai/", "nvidia_nim/"):
        if name.startswith(other):
            name = name[len(other):]
    if provider in ("azure", "bedrock", "openai") and "/" in name and not name.startswith("openai/"):
        return None
    return None if "," in name or " " in name or name.startswith(("ft:", "1024-x", "512-x", "256-x")) else name


def rows(table):
    made = {}
    for name, entry in table.items():
        provider, mode = entry.get("litellm_provider"), MODES.get(entry.get("mode"))
        model = model_of(name, provider) if provider in PRESETS and mode else None
        if not model or model == "container":       # priced by the session, and asked for nothing
            continue
        entry, further = ranges(entry) if "tiered_pricing" in entry else (entry, above(entry))
        row = {"mode": mode, **{column: figure(entry, of) for column, of in RATES.items()},
               "request": figure(entry, "input_cost_per_query", 1), "context": limit(entry, "max_input_tokens", "max_tokens"),
               "max_output": limit(entry, "max_output_tokens"), "features": " ".join(k for k, v in FEATURES.items() if entry.get(v)),
               "retires": entry.get("deprecation_date", ""), "above": further, "flex": three(entry, "_flex"),
               "priority": three(entry, "_priority"), "batch": three(entry, "_batches")}
        if row["output"] and not row["input"]:
            continue
        if mode in ("embedding", "rerank", "moderation") and row["input"] and not row["output"]:
            row["output"] = "0"
        if mode == "chat" and row["input"] and not row["output"]:
            row.update({column: "" for column in (*RATES, "request", "above", "flex", "priority", "batch")})
        for preset in PRESETS[provider]:
            made.setdefault(f"{preset}/{model}", row)
    return made


def main():
    with open(sys.argv[1]) as f:
        table = json.load(f, parse_float=Decimal)
    made = rows(table)
    print(f"# Prices in US dollars per million tokens, of {sys.argv[2]}. Made by from_litellm.py; LICENSE has the source's notice.")
    print(",".join(COLUMNS))
    for name in sorted(made, key=str.encode):
        print(",".join([name] + [made[name][c] for c in COLUMNS[1:]]))


main()

#!/usr/bin/env python3
"""Makes the tiny random checkpoints that the configured decoder is tested against, and what transformers says of them.

    pip install -r requirements.txt
    make.py                 # all families
    make.py llama gemma2    # some of them

Each folder beside this script gets `config.json` (as transformers 5 writes it), `config.legacy.json` (the same model as transformers 4.4x
wrote it, the style of nearly every checkpoint on the hub), the weights, and `expected.json`:

    made_with   versions
    cases       tokens, and the logits of the last row (`last_logits`); `all_logits` for 13 tokens; `rows_logits_sum`: each row's sum
    greedy      16 tokens after a prompt by argmax of f32 logits, end-of-sequence ignored; `margin`: the least lead over the second token
    noise       how far a logit moves when every weight is off by one unit in the last place of f32: what no implementation can beat

Logits are eager attention in float32 on the CPU, batch of 1, no padding. The weights are large on purpose: `WRONG` lists a way to get each
feature wrong, and the script fails unless every one of them moves some case's last row by more than 0.01. Everything follows from `SEED`.
"""
import copy, json, math, os, random, shutil, sys, tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import safetensors, torch, transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

SEED = 20260701
LENGTHS = (1, 5, 13, 29)
VOCAB = 96
MOVES = 1e-2
# The least lead of a greedy token over the next: far above any rounding.
MARGIN = 0.02
HERE = os.path.dirname(os.path.abspath(__file__))

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

# --- families ---------------------------------------------------------------------------------------------------------------------------

SIZES = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_attention_heads=4, bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
DEFAULT = dict(rope_type="default")

# `config`: what the model is. `rope`: rope_parameters of transformers 5. `legacy`: what config.legacy.json says instead of, or besides,
# the settings (None leaves a key out). `shard`: the largest shard.
FAMILIES = {
    "llama": dict(
        model="Llama",
        config=dict(num_hidden_layers=2, num_key_value_heads=2, rms_norm_eps=0.02, max_position_embeddings=512, tie_word_embeddings=False,
                    eos_token_id=[2, 3]),
        rope=dict(LLAMA3, rope_theta=100.0),
        legacy=dict(attention_bias=False, mlp_bias=False, pretraining_tp=1, rope_theta=100.0, rope_scaling=LLAMA3),
        shard="55KB",
    ),
    # MHA: the old config says nothing of num_key_value_heads.
    "llama_biased": dict(
        model="Llama", dtype=torch.bfloat16,
        config=dict(num_hidden_layers=2, num_key_value_heads=4, rms_norm_eps=0.01, max_position_embeddings=128, tie_word_embeddings=True,
                    attention_bias=True, mlp_bias=True),
        rope=dict(rope_type="linear", factor=4.0, rope_theta=50.0),
        legacy=dict(pretraining_tp=1, num_key_value_heads=None, rope_theta=50.0, rope_scaling=dict(type="linear", factor=4.0)),
    ),
    "mistral": dict(
        model="Mistral",
        config=dict(num_hidden_layers=2, num_key_value_heads=2, head_dim=16, rms_norm_eps=0.01, max_position_embeddings=64,
                    sliding_window=8, tie_word_embeddings=False),
        rope=dict(DEFAULT, rope_theta=200.0),
        legacy=dict(rope_theta=200.0),
    ),
    "qwen2": dict(
        model="Qwen2",
        config=dict(num_hidden_layers=3, num_key_value_heads=2, rms_norm_eps=0.01, max_position_embeddings=64, tie_word_embeddings=False,
                    use_sliding_window=True, sliding_window=8, max_window_layers=1),
        rope=dict(DEFAULT, rope_theta=300.0),
        legacy=dict(rope_theta=300.0),
    ),
    # The old config names a window that `use_sliding_window` switches off, as Qwen's own do.
    "qwen3": dict(
        model="Qwen3",
        config=dict(num_hidden_layers=2, num_key_value_heads=2, head_dim=16, rms_norm_eps=0.02, max_position_embeddings=64,
                    tie_word_embeddings=True, attention_bias=False),
        rope=dict(DEFAULT, rope_theta=400.0),
        legacy=dict(rope_theta=400.0, rope_scaling=Ellipsis, use_sliding_window=False, sliding_window=8, max_window_layers=1),
    ),
    # The old config says nothing of tied embeddings: Gemma 2 ties by default.
    "gemma2": dict(
        model="Gemma2",
        config=dict(num_hidden_layers=3, num_key_value_heads=2, head_dim=16, rms_norm_eps=0.01, max_position_embeddings=64,
                    tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=5, sliding_window=8,
                    intermediate_size=24, attn_logit_softcapping=4.0, final_logit_softcapping=3.0, pad_token_id=0, bos_token_id=2, eos_token_id=1),
        rope=dict(DEFAULT, rope_theta=150.0),
        legacy=dict(rope_theta=150.0, hidden_act="gelu_pytorch_tanh", attention_bias=False, cache_implementation="hybrid",
                    tie_word_embeddings=None),
    ),
    "olmo2": dict(
        model="Olmo2",
        config=dict(num_hidden_layers=3, num_key_value_heads=2, rms_norm_eps=0.02, max_position_embeddings=64, tie_word_embeddings=False,
                    pad_token_id=0),
        rope=dict(DEFAULT, rope_theta=500.0),
        legacy=dict(rope_theta=500.0, rope_scaling=Ellipsis, attention_bias=False),
    ),
    "granite": dict(
        model="Granite",
        config=dict(num_hidden_layers=3, num_key_value_heads=2, rms_norm_eps=0.01, max_position_embeddings=64, tie_word_embeddings=True,
                    embedding_multiplier=3.0, residual_multiplier=0.7, attention_multiplier=0.6, logits_scaling=1.7, pad_token_id=0),
        rope=dict(DEFAULT, rope_theta=250.0),
        legacy=dict(rope_theta=250.0, rope_scaling=Ellipsis, attention_bias=False, mlp_bias=False),
    ),
}


def built(name, **changed):
    """The family's model, freshly initialised; `changed` overrides settings of its configuration."""
    family = FAMILIES[name]
    settings = {**SIZES, **family["config"], "rope_parameters": dict(family["rope"]), **changed}
    config = getattr(transformers, family["model"] + "Config")(**settings)
    config._attn_implementation = "eager"
    return getattr(transformers, family["model"] + "ForCausalLM")(config).eval()


def legacy(name):
    """The configuration as transformers 4.4x wrote it: `rope_theta` and `rope_scaling` at the top, `torch_dtype`, no `layer_types`."""
    family = FAMILIES[name]
    dtype = str(family.get("dtype", torch.float32)).removeprefix("torch.")
    config = dict(architectures=[family["model"] + "ForCausalLM"], attention_dropout=0.0, hidden_act="silu", initializer_range=0.02,
                  model_type=family["model"].lower(), torch_dtype=dtype, transformers_version="4.46.3", use_cache=True)
    config |= SIZES | family["config"]
    for key, value in family["legacy"].items():
        config[key] = value
        if value is None:
            del config[key]
        elif value is Ellipsis:
            config[key] = None
    return dict(sorted(config.items()))


# --- weights ----------------------------------------------------------------------------------------------------------------------------

# These embeddings are tied and multiplied by a constant. Larger, they would drown the layers, and a token follow itself for ever.
EMBEDDING = {"gemma2": 0.15, "granite": 0.15}


def fill(model, name):
    """Random weights by the parameter's name: large enough that nothing hides in rounding, never the value that a norm starts from."""
    generator = torch.Generator().manual_seed(SEED + sum(map(ord, name)))
    draw = lambda p, std, mean=0.0: p.copy_(mean + std * torch.randn(p.shape, generator=generator))
    with torch.no_grad():
        for key, p in sorted(model.named_parameters()):
            if "norm" in key:
                draw(p, 0.25, 0.5 if name == "gemma2" else 1.0)
            elif key.endswith("bias"):
                draw(p, 0.3)
            elif "embed" in key or "lm_head" in key:
                draw(p, EMBEDDING.get(name, 0.3))
            elif "q_proj" in key or "k_proj" in key:
                draw(p, 0.3)
            else:
                draw(p, 0.2)
            if FAMILIES[name].get("dtype") is torch.bfloat16:
                p.copy_(p.to(torch.bfloat16).float())
    model.tie_weights()


# --- ways to be wrong -------------------------------------------------------------------------------------------------------------------

def settings(**changed):
    """The same weights under other settings."""
    def wrong(name, model):
        other = built(name, **changed)
        own = {k: v for k, v in model.state_dict().items() if k in other.state_dict()}
        missing = other.load_state_dict(own, strict=False).missing_keys
        assert not missing, missing
        return other
    return wrong


def edited(edit):
    """A copy of the model that `edit` changes in place."""
    def wrong(name, model):
        other = copy.deepcopy(model)
        with torch.no_grad():
            edit(other)
        return other
    return wrong


def weights(part, value):
    """Every parameter whose name holds `part`, set to `value`."""
    def edit(model):
        hits = [p for key, p in model.named_parameters() if part in key]
        assert hits, part
        for p in hits:
            p.fill_(value)
    return edited(edit)


def without(*parts):
    """Every module with one of these names, replaced by the identity."""
    def edit(model):
        hits = [(m, part) for m in model.modules() for part in parts if part in m._modules]
        assert hits, parts
        for m, part in hits:
            m._modules[part] = torch.nn.Identity()
    return edited(edit)


def attention(change):
    """`change(layer's attention, settings)` on every layer."""
    return edited(lambda model: [change(layer.self_attn, model.config) for layer in model.model.layers])


def head_dim(config):
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def tiled(a, config):
    """Query head h reads key-value head h % kv instead of h // (heads / kv)."""
    heads, kv, d = config.num_attention_heads, config.num_key_value_heads, head_dim(config)
    order = [kv_head + kv * i for kv_head in range(kv) for i in range(heads // kv)]
    rows = torch.tensor([h * d + j for h in order for j in range(d)])
    a.q_proj.weight.copy_(a.q_proj.weight[rows].clone())
    a.o_proj.weight.copy_(a.o_proj.weight[:, rows].clone())
    if hasattr(a, "q_norm") and a.q_norm.weight.numel() == heads * d:
        a.q_norm.weight.copy_(a.q_norm.weight[rows].clone())


def interleaved(a, config):
    """Rotary pairs (2i, 2i + 1) instead of (i, i + d / 2)."""
    d = head_dim(config)
    half = [j // 2 + (j % 2) * d // 2 for j in range(d)]
    back = [half.index(j) for j in range(d)]
    for proj in (a.q_proj, a.k_proj):
        rows = torch.tensor([h * d + j for h in range(proj.weight.shape[0] // d) for j in back])
        proj.weight.copy_(proj.weight[rows].clone())
        if proj.bias is not None:
            proj.bias.copy_(proj.bias[rows].clone())


def scaled(factor):
    def change(a, config):
        a.scaling = a.scaling * factor
    return attention(change)


class Embedding(torch.nn.Module):
    """The embedding times a factor."""
    def __init__(self, inner, factor):
        super().__init__()
        self.inner, self.factor = inner, factor

    def forward(self, ids):
        return self.inner(ids) * self.factor


def embedding_times(factor):
    def edit(model):
        model.model.embed_tokens = Embedding(model.model.embed_tokens, factor)
    return edited(edit)


class PerHead(torch.nn.Module):
    """Olmo-2's norm of a whole vector, taken head by head."""
    def __init__(self, norm, d):
        super().__init__()
        self.norm, self.d = norm, d

    def forward(self, x):
        heads = x.unflatten(-1, (-1, self.d))
        return (heads * torch.rsqrt(heads.pow(2).mean(-1, keepdim=True) + self.norm.variance_epsilon)).flatten(-2) * self.norm.weight


def per_head(a, config):
    a.q_norm, a.k_norm = PerHead(a.q_norm, head_dim(config)), PerHead(a.k_norm, head_dim(config))


class Rolled(torch.nn.Module):
    """Qwen-3's norm of a head with the weights of each rotary pair exchanged, as a layout for neighbouring pairs would confuse them."""
    def __init__(self, norm):
        super().__init__()
        self.norm = norm

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.norm.variance_epsilon) * self.norm.weight.roll(self.norm.weight.numel() // 2)


def rolled(a, config):
    a.q_norm, a.k_norm = Rolled(a.q_norm), Rolled(a.k_norm)


class PreNorm(torch.nn.Module):
    """A sublayer whose norm acts on what goes in, not on what comes out."""
    def __init__(self, inner, norm):
        super().__init__()
        self.inner, self.norm = inner, norm

    def forward(self, hidden_states, **rest):
        return self.inner(hidden_states=self.norm(hidden_states), **rest) if rest else self.inner(self.norm(hidden_states))


def pre_norms(model):
    for layer in model.model.layers:
        layer.self_attn, layer.post_attention_layernorm = PreNorm(layer.self_attn, layer.post_attention_layernorm), torch.nn.Identity()
        layer.mlp, layer.post_feedforward_layernorm = PreNorm(layer.mlp, layer.post_feedforward_layernorm), torch.nn.Identity()


def one_centred(model):
    for key, p in model.named_parameters():
        if "norm" in key:
            p.sub_(1.0)


def head_from_embedding(model):
    model.lm_head.weight = torch.nn.Parameter(model.model.embed_tokens.weight.clone())


def untied(model):
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.roll(1, 0).clone())


def layers(*kinds):
    return settings(layer_types=[{"s": "sliding_attention", "f": "full_attention"}[k] for k in kinds])


def rope(name, **changed):
    return settings(rope_parameters={**FAMILIES[name]["rope"], **changed})


COMMON = lambda name: {
    "rope's theta at 10000": rope(name, rope_theta=10000.0),
    "rope in neighbouring pairs": attention(interleaved),
    "epsilon 1e-6": settings(rms_norm_eps=1e-6),
    "scores twice as large": scaled(2.0),
}
GROUPED = {"key-value heads tiled": attention(tiled)}
GATES = {"ReLU for SiLU": settings(hidden_act="relu"), "GELU for SiLU": settings(hidden_act="gelu")}
WINDOW = {"no window": settings(sliding_window=None), "window of 7": settings(sliding_window=7), "window of 9": settings(sliding_window=9)}
UNTIED = {"the embedding as head": edited(head_from_embedding)}
TIED = {"another matrix as head": edited(untied)}

WRONG = {
    "llama": COMMON("llama") | GROUPED | GATES | UNTIED | {
        "no rope scaling": settings(rope_parameters=dict(DEFAULT, rope_theta=100.0)),
        "linear rope scaling": settings(rope_parameters=dict(rope_type="linear", factor=8.0, rope_theta=100.0)),
        "no smooth band": rope("llama", high_freq_factor=1.0001),
        "original length from max_position_embeddings": rope("llama", original_max_position_embeddings=512),
    },
    "llama_biased": COMMON("llama_biased") | GATES | TIED | {
        "no rope scaling": settings(rope_parameters=dict(DEFAULT, rope_theta=50.0)),
    } | {f"no {part}.bias": weights(f"{part}.bias", 0.0)
         for part in ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")},
    "mistral": COMMON("mistral") | GROUPED | GATES | UNTIED | WINDOW | {
        "scale of hidden / heads": scaled(math.sqrt(16 / 8)),
    },
    "qwen2": COMMON("qwen2") | GROUPED | GATES | UNTIED | {
        "no window": layers(*"fff"), "all layers windowed": layers(*"sss"), "last layer windowed": layers(*"ffs"),
        "the first max_window_layers windowed": layers(*"sff"), "window of 7": settings(sliding_window=7),
        "window of 9": settings(sliding_window=9),
    } | {f"no {part}.bias": weights(f"{part}.bias", 0.0) for part in ("q_proj", "k_proj", "v_proj")},
    "qwen3": COMMON("qwen3") | GROUPED | GATES | TIED | {
        "no weights in q_norm": weights("q_norm", 1.0), "no weights in k_norm": weights("k_norm", 1.0),
        "no q_norm": without("q_norm"), "no k_norm": without("k_norm"), "norm's weights of the other half": attention(rolled),
        "window in spite of use_sliding_window": settings(use_sliding_window=True, sliding_window=8, max_window_layers=1),
    },
    "gemma2": COMMON("gemma2") | GROUPED | TIED | {
        "no window": layers(*"fff"), "all layers windowed": layers(*"sss"), "odd layers windowed": layers(*"fsf"),
        "window of 7": settings(sliding_window=7), "window of 9": settings(sliding_window=9),
        "no cap on scores": settings(attn_logit_softcapping=None), "no cap on logits": settings(final_logit_softcapping=None),
        "scale of head_dim": settings(query_pre_attn_scalar=16), "embedding not scaled": embedding_times(32 ** -0.5),
        "norms without the 1": edited(one_centred), "SiLU for GELU": settings(hidden_activation="silu"),
        "no post-attention norm": without("post_attention_layernorm"), "no pre-feed-forward norm": without("pre_feedforward_layernorm"),
        "no post-feed-forward norm": without("post_feedforward_layernorm"),
    },
    "olmo2": COMMON("olmo2") | GROUPED | GATES | UNTIED | {
        "no weights in q_norm": weights("q_norm", 1.0), "no weights in k_norm": weights("k_norm", 1.0),
        "no q_norm": without("q_norm"), "no k_norm": without("k_norm"), "norms head by head": attention(per_head),
        "norms before the sublayers": edited(pre_norms),
    },
    "granite": COMMON("granite") | GROUPED | GATES | TIED | {
        "embedding_multiplier 1": settings(embedding_multiplier=1.0), "residual_multiplier 1": settings(residual_multiplier=1.0),
        "attention_multiplier of head_dim": settings(attention_multiplier=8 ** -0.5), "logits_scaling 1": settings(logits_scaling=1.0),
        "logits times logits_scaling": settings(logits_scaling=1 / 1.7),
    },
}
# The exact GELU differs from Gemma's tanh form by less than a thousandth; it must stand out from `noise`, not reach `MOVES`.
SUBTLE = {"gemma2": {"exact GELU": settings(hidden_activation="gelu")}}


# --- what is expected -------------------------------------------------------------------------------------------------------------------

@torch.no_grad()
def logits(model, tokens):
    return model(torch.tensor([tokens]), use_cache=False).logits[0].float()


@torch.no_grad()
def greedy(model, prompt, new=16):
    """Argmax after argmax: once from the whole text each time, once with the key-value cache; both must agree. Also the least margin."""
    tokens, margin = list(prompt), math.inf
    for _ in range(new):
        row = logits(model, tokens)[-1]
        first, second = row.topk(2).values.tolist()
        margin = min(margin, first - second)
        tokens.append(int(row.argmax()))
    ids, past, cached = torch.tensor([prompt]), None, []
    for _ in range(new):
        out = model(ids, past_key_values=past, use_cache=True)
        past, ids = out.past_key_values, out.logits[:, -1].argmax(-1, keepdim=True)
        cached.append(int(ids))
    assert cached == tokens[len(prompt):], "the cache changes the tokens"
    return cached, margin


@torch.no_grad()
def noise(model, cases):
    """How far weights that differ by f32's precision, 2^-23 of themselves up, down or not at all, move a logit: a floor for tolerances."""
    generator, most = torch.Generator().manual_seed(SEED), 0.0
    for _ in range(8):
        other = copy.deepcopy(model)
        for p in other.parameters():
            p.mul_(1 + 2.0 ** -23 * torch.randint(-1, 2, p.shape, generator=generator))
        most = max([most] + [float((logits(other, c["tokens"])[-1] - torch.tensor(c["last_logits"])).abs().max()) for c in cases])
    return most


def digits(tensor):
    return [float(f"{x:.9g}") for x in tensor.tolist()]


def write(path, value):
    """One line a case, so that a change shows where it is."""
    with open(path, "w", encoding="utf-8") as f:
        lines = []
        for key, part in value.items():
            if isinstance(part, list):
                rows = ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in part)
                lines.append(f'"{key}": [\n{rows}\n]')
            else:
                lines.append(f'"{key}": {json.dumps(part, separators=(",", ":"))}')
        f.write("{\n" + ",\n".join(lines) + "\n}\n")


def loaded(folder, config, **rest):
    """The checkpoint as a user would load it, under one of its two configurations."""
    with tempfile.TemporaryDirectory() as tmp:
        for file in os.listdir(folder):
            if "safetensors" in file:
                shutil.copy(os.path.join(folder, file), tmp)
        with open(os.path.join(tmp, "config.json"), "w") as f:
            json.dump(config, f)
        return AutoModelForCausalLM.from_pretrained(tmp, dtype=torch.float32, attn_implementation="eager", **rest).eval()


def saved(model, name, folder):
    """Writes the weights and both configurations; checks that they are all there."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    family = FAMILIES[name]
    copy.deepcopy(model).to(family.get("dtype", torch.float32)).save_pretrained(folder, max_shard_size=family.get("shard", "1GB"))
    os.remove(os.path.join(folder, "generation_config.json"))
    with open(os.path.join(folder, "config.legacy.json"), "w") as f:
        json.dump(legacy(name), f, indent=2)
        f.write("\n")
    parts = [f for f in sorted(os.listdir(folder)) if f.endswith(".safetensors")]
    for part in parts:
        os.chmod(os.path.join(folder, part), 0o644)  # the library makes them the owner's alone
    assert len(parts) == (2 if "shard" in family else 1), parts
    tensors = {k: v for part in parts for k, v in load_file(os.path.join(folder, part)).items()}
    tied = family["config"]["tie_word_embeddings"]
    assert ("lm_head.weight" in tensors) != tied and {v.dtype for v in tensors.values()} == {family.get("dtype", torch.float32)}
    return tensors


def make(name):
    folder = os.path.join(HERE, name)
    model = built(name)
    fill(model, name)
    dice = random.Random(f"{SEED} {name}")
    draw = lambda n: [dice.randrange(4, VOCAB) for _ in range(n)]
    cases = []
    for n in LENGTHS:
        tokens = draw(n)
        rows = logits(model, tokens)
        assert rows.isfinite().all()
        case = dict(tokens=tokens, last_logits=digits(rows[-1]), rows_logits_sum=digits(rows.double().sum(-1)))
        if n == 13:
            case["all_logits"] = [digits(row) for row in rows]
        cases.append(case)
    for _ in range(200):
        prompt = draw(13)
        tokens, margin = greedy(model, prompt)
        if margin > MARGIN and len(set(tokens)) > 5:
            break
    else:
        raise SystemExit(f"{name}: no prompt whose greedy tokens are both certain and various")

    saved(model, name, folder)
    with open(os.path.join(folder, "config.json")) as f:
        modern = json.load(f)
    configs = {"config.json": modern, "config.legacy.json": legacy(name)}
    if name == "llama_biased":
        configs["linear scaling named rope_type"] = {**legacy(name), "rope_scaling": dict(rope_type="linear", factor=4.0)}
    if name == "gemma2":
        configs["without hidden_act"] = {k: v for k, v in legacy(name).items() if k != "hidden_act"}
    for label, config in configs.items():
        other = loaded(folder, config)
        for case in cases:
            assert digits(logits(other, case["tokens"])[-1]) == case["last_logits"], f"{name}: {label} gives other logits"
    moved = {}
    for label, wrong in (WRONG[name] | SUBTLE.get(name, {})).items():
        other = wrong(name, model)
        moved[label] = max(float((logits(other, c["tokens"])[-1] - torch.tensor(c["last_logits"])).abs().max()) for c in cases)
    for label, by in sorted(moved.items(), key=lambda x: x[1]):
        print(f"  {by:9.4f}  {label}")
    floor = noise(model, cases)
    silent = [label for label, by in moved.items() if not by > (50 * floor if label in SUBTLE.get(name, {}) else MOVES)]
    assert not silent, f"{name}: these don't show: {silent}"

    made_with = dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__, safetensors=safetensors.__version__)
    write(os.path.join(folder, "expected.json"), dict(made_with=made_with, cases=cases, greedy=dict(prompt=prompt, tokens=tokens, margin=round(margin, 4)), noise=float(f"{floor:.1e}")))
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
    print(f"{name}: {size / 1024:.0f} KiB, greedy {tokens}, margin {margin:.3f}, noise {floor:.1e}")
    assert size < 160 * 1024


if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        make(name)

"""What a trace must not give away: who its teacher is, keys, addresses; and refusals.

Each rule has a hint, a cheap pattern without which it cannot hold: only texts with the hint are
looked at closely.
"""

import re

REFUSAL = (
    r"(?i)\A[\s*_#>]*(?:(?:(?:i['’]?m|i am)(?:\s(?:really|very|so|truly|deeply))?\s(?:sorry|afraid)"
    r"|sorry|i apologi[sz]e|my apologies|unfortunately|as an ai[^.,\n]{0,60})"
    r"[^.\n]{0,60}?[,.;:]?\s*(?:but\s)?)?"
    r"(?:i|we)\s?(?:can['’]?t|cannot|can not|won['’]?t|will not|must decline"
    r"|['’]?m (?:un|not )able|am (?:un|not )able|['’]?m not (?:comfortable|going)|have to decline"
    r"|must refuse|decline)\s?(?:to\s)?(?:\w+\s)?"
    r"(?:assist|help|comply|fulfil+|provide|answer|respond|discuss|create|generate|write|produce"
    r"|engage|continue|support|participate|share|offer|do that|do this)\b"
    r"|\A\s*(?:很?抱歉|对不起|非常抱歉)[，,！!。]?\s*(?:但|可是)?(?:作为[^，。]{0,20}[，,])?我(?:无法|不能|不可以)"
    r"|\A\s*我(?:无法|不能)(?:提供|协助|帮助|回答|满足|生成|讨论)"
)

_MODELS = (
    r"DeepSeek|ChatGPT|GPT-?[345]|Claude|Gemini|Qwen|QwQ|Llama|Mistral|Mixtral|Kimi|SmolLM\w*"
    r"|Grok|Gemma|ChatGLM|Doubao|Ernie"
)
_MAKERS = r"DeepSeek|OpenAI|Anthropic|Alibaba|Google|Meta|Mistral|Moonshot|Hugging ?Face|xAI|Zhipu"
_KIND = (
    r"(?:large |big )?(?:AI |language |artificial intelligence )+(?:model|assistant|system|chatbot)"
)
SELF_IDENTIFICATION_HINT = (
    r"eepSeek|eepseek|ChatGPT|GPT-|I am Claude|I'm Claude|Gemini|Qwen|QwQ|Llama|istral|Kimi|SmolLM"
    r"|Grok|Gemma|OpenAI|Anthropic|language model|AI assistant|AI model|AI system|AI chatbot"
    r"|s an AI|m an AI|深度求索|通义千问|语言模型|智能助手|人工智能助"
)
SELF_IDENTIFICATION = re.compile(
    rf"\bI(?:['’]m| am)(?: actually| just| only)?(?: called| named)? (?:the )?(?:{_MODELS})\b"
    rf"|\bI(?:['’]m| am)(?: actually| just| only)? an? (?:helpful )?(?:{_KIND}|AI\b(?! (?:\w+ )?"
    r"(?:researcher|engineer|student|scientist|expert)))"
    rf"|\b[Aa]s an? (?:helpful )?(?:{_KIND}),? (?:I\b|my\b|developed|created|made|trained)"
    r"|\b[Aa]s an AI,? (?:I\b|my\b)"
    rf"|\b(?:[Mm]y name is|[Cc]all me|[Tt]his is) (?:{_MODELS})\b"
    rf"|\bI (?:was|am|have been) (?:developed|created|made|trained|built) by (?:{_MAKERS})\b"
    rf"|\bmy (?:creators?|developers?|makers?),? (?:at )?(?:{_MAKERS})\b"
    r"|我(?:是|叫|名叫)(?:一个|一款|由)?[^，。\n]{0,12}?"
    r"(?:DeepSeek|深度求索|通义千问|Qwen|ChatGPT|OpenAI|语言模型|智能助手|人工智能助手)"
    r"|作为(?:一个|一款)?(?:大型|大)?(?:人工智能|AI|语言模型)[^，。\n]{0,8}[，,]?我"
)
# A question after which speaking of oneself as a model is an answer.
ABOUT_AI = re.compile(
    rf"(?i)\b(?:{_MODELS}|OpenAI|Anthropic)\b|\bwho (?:are|made|created|trained) you\b"
    r"|\bwhat are you\b|\byour (?:name|creator|developer|maker)s?\b|\bare you an?\b"
    r"|language model|\bAIs?\b|artificial intelligence|chat ?bot|你是谁|你叫什么|人工智能|语言模型"
)

SECRET_HINT = (
    r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|sk-[A-Za-z0-9]|sk_live_|rk_live_|\bhf_|xox[abprs]-"
    r"|AIza|PRIVATE KEY|eyJ|npm_|pypi-Ag|SG\.|dop_v1_|://[^\s/@]{1,64}@"
)
SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})"
    r"|\bsk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9][\w-]{19,}|\b[sr]k_live_[A-Za-z0-9]{20,}"
    r"|\bhf_[A-Za-z0-9]{30,}|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{35}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-Ag[\w-]{50,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bdop_v1_[a-f0-9]{64}\b"
    r"|\b[a-z][a-z+]{2,}://[^\s/:@]{1,64}:(?P<password>[^\s/:@]{6,64})@[\w-]"
)
_MADE_UP_SECRET = re.compile(r"(?i)example|your|xxx|\.\.\.|placeholder|dummy|1234567|abcdef|secret")
_PASSWORD_WORD = re.compile(r"(?i)pass(?:word|wd)?\d*|hunter2|postgres|<.*>|\{.*\}|\$.*")
_FEW_LETTERS = 8  # a random key of 20 characters has 15 different ones

EMAIL_ADDRESS_HINT = "@"
EMAIL_ADDRESS = re.compile(
    r"(?<![\w.+%-])(?P<local>[A-Za-z0-9][\w.+%-]{0,63})@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.)+"
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|dev|ai|app|me|co|tech|xyz"
    r"|uk|de|fr|es|it|nl|be|ch|at|se|no|dk|fi|pl|cz|pt|gr|ru|ua|cn|jp|kr|in|au|nz|ca|br|mx|ar|za"
    r"|us|eu|ie|il|tr|tw|hk|sg))(?![\w(\[-]|\.\w)"
)
_NOBODYS = re.compile(
    r"(?i)(?:.*\.)?(?:example\.\w+|(?:domain|email|mail|company|test|site|website|host|server|foo"
    r"|bar|abc|xyz|yourdomain|mydomain|sub|x|y|a|b|c|d)\.(?:com|org|net|co|io|edu))"
)
_NOBODY = re.compile(
    r"(?i)(?:git|user|username|name|your[\w.]*|someone|foo|bar|test|tester|admin|info|noreply"
    r"|no-reply|john\.?doe|jane\.?doe|first\.?last|\w)\d*"
)


def is_self_identification(text: str, question: str | None) -> bool:
    """Whether the writer says which model, or that it is a model, where nobody asked about AI."""
    return SELF_IDENTIFICATION.search(text) is not None and ABOUT_AI.search(question or "") is None


def is_secret(text: str, question: str | None) -> bool:
    """Whether a text holds a key, token or password of a well-known shape.

    Those of the question do not count, nor made-up ones: `sk-xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`.
    """
    return any(
        found[0] not in (question or "") and not _is_made_up(found)
        for found in SECRET.finditer(text)
    )


def _is_made_up(found: re.Match[str]) -> bool:
    password = found["password"]
    if password is not None:
        return _PASSWORD_WORD.fullmatch(password) is not None
    if found[0].startswith("-----"):
        return False
    return _MADE_UP_SECRET.search(found[0]) is not None or len(set(found[0][4:])) < _FEW_LETTERS


def is_email_address(text: str, question: str | None) -> bool:
    """Whether a text holds somebody's address: none of the question's, and no made-up one."""
    return any(
        found[0] not in (question or "")
        and _NOBODYS.fullmatch(found["domain"]) is None
        and _NOBODY.fullmatch(found["local"]) is None
        for found in EMAIL_ADDRESS.finditer(text)
    )

"""What a trace must not give away: who its teacher is, keys, addresses; and refusals.

Each rule has a pattern of the passages to judge, and a hint: a pattern found at memory speed,
without which there is no such passage. Both are for Polars, whose patterns have no look-around.
"""

import re

_APOLOGY = (
    r"(?:(?:i['’]?m|i am)(?:\s(?:really|very|so|truly|deeply))?\s(?:sorry|afraid)"
    r"|sorry|i apologi[sz]e|my apologies|as an ai[^.,\n]{0,60})"
)
_BETWEEN = r"[^.\n]{0,60}?[,.;:]?\s*(?:but\s)?"
# "We cannot create a triangle" is mathematics: without an apology only "I" refuses.
REFUSAL = (
    rf"(?i)\A[\s*_#>]*(?:{_APOLOGY}{_BETWEEN}(?:i|we)|(?:unfortunately{_BETWEEN})?i)"
    r"\s?(?:can['’]?t|cannot|can not|won['’]?t|will not|must decline"
    r"|['’]?m (?:un|not )able|am (?:un|not )able|['’]?m not (?:comfortable|going)|have to decline"
    r"|must refuse|decline)\s?(?:to\s)?(?:\w+\s)?"
    r"(?:assist|help|comply|fulfil+|provide|answer|respond|discuss|create|generate|write|produce"
    r"|engage|continue|support|participate|share|offer|do that|do this)\b"
    r"|\A\s*(?:很?抱歉|对不起|非常抱歉)[，,！!。]?\s*(?:但|可是)?(?:作为[^，。]{0,20}[，,])?我(?:无法|不能|不可以)"
    r"|\A\s*我(?:无法|不能)(?:提供|协助|帮助|回答|满足|生成|讨论)"
)

_MODELS = (
    r"DeepSeek|ChatGPT|GPT-?[345]|Claude|Gemini|Qwen|QwQ|Llama|Mistral|Mixtral|Kimi|SmolLM2?"
    r"|Grok|Gemma|ChatGLM|Doubao|Ernie"
)
_MAKERS = r"DeepSeek|OpenAI|Anthropic|Alibaba|Google|Meta|Mistral|Moonshot|Hugging ?Face|xAI|Zhipu"
# Unicode's `\b` is slow where a text is not all ASCII.
_EDGE = r"(?-u:\b)"
_AI = r"AI\b(?: [A-Za-z]+){0,2}"
_KIND = (
    r"(?:large |big )?(?:AI |language |artificial intelligence )+(?:model|assistant|system|chatbot)"
)
# Six bytes or more each: shorter ones make the search four times as long.
SELF_IDENTIFICATION_HINT = (
    r"DeepSeek|Deepseek|deepseek|ChatGPT|Claude|Gemini|am Qwen|'m Qwen|is Qwen|by Meta|SmolLM"
    r"|Mistral|OpenAI|Anthropic|Alibaba|by Google|language model|AI assistant|AI model|AI system"
    r"|AI chatbot|[Aa]s an AI|am an AI|'m an AI|’m an AI"
    r"|深度求索|通义千问|语言模型|智能助手|工智能助"
)
SELF_IDENTIFICATION = (
    rf"\bI(?:['’]m| am)(?: actually| just| only)?(?: called| named)? (?:the )?(?:{_MODELS})\b"
    rf"|\bI(?:['’]m| am)(?: actually| just| only)? an? (?:helpful )?(?:{_KIND}|{_AI})"
    rf"|\b[Aa]s an? (?:helpful )?(?:{_KIND}),? (?:I\b|my\b|developed|created|made|trained)"
    r"|\b[Aa]s an AI,? (?:I\b|my\b)"
    rf"|\b(?:[Mm]y name is|[Cc]all me|[Tt]his is) (?:{_MODELS})\b"
    rf"|\bI (?:was|am|have been) (?:developed|created|made|trained|built) by (?:{_MAKERS})\b"
    rf"|\bmy (?:creators?|developers?|makers?),? (?:at )?(?:{_MAKERS})\b"
    r"|我(?:是|叫|名叫)(?:一个|一款|由)?[^，。\n]{0,12}?"
    r"(?:DeepSeek|深度求索|通义千问|Qwen|ChatGPT|OpenAI|语言模型|智能助手|人工智能助手)"
    r"|作为(?:一个|一款)?(?:大型|大)?(?:人工智能|AI|语言模型)[^，。\n]{0,8}[，,]?我"
).replace(r"\b", _EDGE)
_PERSON = re.compile(r"\bAI(?: \w+)? (?:researcher|engineer|student|scientist|expert)")
# A question after which speaking of oneself as a model is an answer.
ABOUT_AI = re.compile(
    rf"(?i)\b(?:{_MODELS}|OpenAI|Anthropic)\b|\bwho (?:are|made|created|trained) you\b"
    r"|\bwhat are you\b|\byour (?:name|creator|developer|maker)s?\b|\bare you an?\b"
    r"|language model|\bAIs?\b|artificial intelligence|chat ?bot|你是谁|你叫什么|人工智能|语言模型"
)

SECRET_HINT = (
    r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|sk-[A-Za-z0-9]|sk_live_|rk_live_|hf_|xox[abprs]-"
    r"|AIza|PRIVATE KEY|eyJ|npm_|pypi-Ag|SG\.|dop_v1_|://[!-.0-?A-~]{1,64}@"
)
SECRET = (
    r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{36,}|npm_[A-Za-z0-9]{36}"
    r"|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|[sr]k_live_[A-Za-z0-9]{20,}"
    r"|sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9][A-Za-z0-9_-]{19,}|hf_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35}|dop_v1_[a-f0-9]{64}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|pypi-Ag[A-Za-z0-9_-]{50,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|[a-z][a-z+]{2,}://[!-.0-9;-?A-~]{1,64}:[!-.0-9;-?A-~]{6,64}@[A-Za-z0-9-])"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}"
).replace(r"\b", _EDGE)
_MADE_UP_SECRET = re.compile(r"(?i)example|your|xxx|\.\.\.|placeholder|dummy|1234567|abcdef|secret")
_PASSWORD_WORD = re.compile(r"(?i)pass(?:word|wd)?\d*|hunter2|postgres|<.*>|\{.*\}|\$.*")
_FEW_LETTERS = 8  # a random key of 20 characters has 15 different ones

EMAIL_ADDRESS = (
    r"[A-Za-z0-9][A-Za-z0-9_.+%-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?:[\d_(\[]|\.\w)?"
)
# `x@w.to(device)` is a matrix product, so what follows and the last name must be an address's.
_ADDRESS = re.compile(
    r"(?P<local>[\w.+%-]+)@(?P<domain>(?:[A-Za-z0-9-]+\.)+"
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|dev|ai|app|me|co|tech|xyz"
    r"|uk|de|fr|es|it|nl|be|ch|at|se|no|dk|fi|pl|cz|pt|gr|ru|ua|cn|jp|kr|in|au|nz|ca|br|mx|ar|za"
    r"|us|eu|ie|il|tr|tw|hk|sg))"
)
_NOBODYS = re.compile(
    r"(?i)(?:.*\.)?(?:example\.\w+|(?:domain|email|mail|company|test|site|website|host|server|foo"
    r"|bar|abc|xyz|yourdomain|mydomain|sub|x|y|a|b|c|d)\.(?:com|org|net|co|io|edu))"
)
_NOBODY = re.compile(
    r"(?i)(?:git|user|username|name|your[\w.]*|someone|foo|bar|test|tester|admin|info|noreply"
    r"|no-reply|john\.?doe|jane\.?doe|first\.?last|\w)\d*"
)


def is_self_identification(passage: str, question: str) -> bool:
    """Whether the writer says which model, or that it is a model, where nobody asked about AI."""
    return _PERSON.search(passage) is None and ABOUT_AI.search(question) is None


def is_secret(passage: str, question: str) -> bool:
    """Whether it is a key, token or password, not the question's and not made up for show.

    Made up are `sk-xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`, `://user:password@host`.
    """
    if passage in question:
        return False
    if "://" in passage:
        password = passage.rpartition("@")[0].rpartition(":")[2]
        return _PASSWORD_WORD.fullmatch(password) is None
    if passage.startswith("-----"):
        return True
    return _MADE_UP_SECRET.search(passage) is None and len(set(passage[4:])) >= _FEW_LETTERS


def is_email_address(passage: str, question: str) -> bool:
    """Whether it is somebody's address: none of the question's, and no made-up one."""
    found = _ADDRESS.fullmatch(passage)
    return (
        found is not None
        and passage not in question
        and _NOBODYS.fullmatch(found["domain"]) is None
        and _NOBODY.fullmatch(found["local"]) is None
    )

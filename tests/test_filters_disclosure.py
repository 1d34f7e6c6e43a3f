"""Refusals, self-identification, secrets, addresses: what is caught and what is not."""

import pytest
from filters_records import reason_of

BODY = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0xR2uL5"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I’m sorry, but I can’t assist with this request.", "refusal"),
        ("I’m sorry, but I can’t assist with this request. \\boxed{}", "refusal"),
        ("I’m sorry, but I can’t assist with this request. \\boxed{15}", None),
        ("Sorry, we cannot help with that.", "refusal"),
        ("As an AI, we cannot provide this.", "refusal"),
        ("Unfortunately, I cannot answer this.", "refusal"),
        ("We cannot create a triangle with these sides.", "no_final_answer"),
        ("Unfortunately, we cannot write it as a fraction.", "no_final_answer"),
        ("We cannot create a triangle with these sides. \\boxed{42}", None),
        ("We can't write this as a fraction, so \\boxed{42}", None),
        ("We cannot share 7 apples equally: \\boxed{42}", None),
        ("I cannot write this as a fraction. The answer is 42.", None),
        ("Sorry, I cannot provide that information.", "refusal"),
        ("I cannot comply with this.", "refusal"),
        ("I am unable to assist with that.", "refusal"),
        ("I won't help you do this.", "refusal"),
        ("As an AI developed to be harmless, I cannot assist with this.", "refusal"),
        ("抱歉，我无法回答这个问题。", "refusal"),
        ("I cannot overstate how simple it is: \\boxed{15}", None),
        ("We cannot divide by zero, so x = 15. \\boxed{15}", None),
        ("I'm sorry to say it is \\boxed{15}", None),
        ("The clerk said: I can't help with that. \\boxed{15}", None),
        ("I can help with that: \\boxed{15}", None),
    ],
)
def test_refusals(answer: str, reason: str | None) -> None:
    assert reason_of(answer=answer) == reason


@pytest.mark.parametrize(
    ("reasoning", "question", "reason"),
    [
        ("As an AI language model, I cannot see pictures.", "?", "self_identification"),
        ("I am DeepSeek-R1, so I reason.", "?", "self_identification"),
        ("I'm ChatGPT and I add.", "?", "self_identification"),
        ("Since I'm an AI, I have no hands.", "?", "self_identification"),
        ("I'm an AI assistant created by DeepSeek.", "?", "self_identification"),
        ("I was trained by OpenAI.", "?", "self_identification"),
        ("My name is Qwen.", "?", "self_identification"),
        ("我是通义千问。", None, "self_identification"),
        ("As an AI language model, I cannot see.", "Who are you?", None),
        ("I am DeepSeek-R1.", "What is DeepSeek?", None),
        ("As an AI, I would say so.", "Will AI replace teachers?", None),
        ("A language model predicts the next word.", "?", None),
        ("Claude Shannon and the Gemini twins by OpenAI.", "?", None),
        ("He says: she is an AI researcher. I am an AI researcher myself.", "?", None),
        ("I am a sailor, I aim at Aix, I am AIming.", "?", None),
    ],
)
def test_self_identification(reasoning: str, question: str | None, reason: str | None) -> None:
    language = "en" if reasoning.isascii() else "zh"
    assert reason_of(reasoning, question=question, language=language) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"ghp_{BODY}", "secret"),
        (f"sk-{BODY}", "secret"),
        (f"sk-proj-{BODY}", "secret"),
        (f"hf_{BODY}", "secret"),
        ("AKIA4QZ7MXKD2WPL8RTV", "secret"),
        (f"xoxb-{BODY}", "secret"),
        (f"AIza{BODY[:35]}", "secret"),
        (f"glpat-{BODY[:20]}", "secret"),
        (f"sk_live_{BODY[:24]}", "secret"),
        (f"eyJ{BODY}.eyJ{BODY}.{BODY}", "secret"),
        (f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{BODY}", "secret"),
        ("postgres://app:tr0ub4dor.3@db.internal/x", "secret"),
        ("AKIAIOSFODNN7EXAMPLE", None),
        ("sk-xxxxxxxxxxxxxxxxxxxxxxxx", None),
        ("sk-your-api-key-goes-in-here", None),
        ("postgres://user:password@localhost/x", None),
        ("-----BEGIN RSA PRIVATE KEY-----\n...", None),
        ("a risk-adjusted-return-of-the-portfolio task-0123", None),
        ("the hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
        ("https://user@host/path:x", None),
    ],
)
def test_secrets(text: str, reason: str | None) -> None:
    assert reason_of(f"It is {text} here.") == reason
    assert reason_of(f"It is {text} here.", question=f"What is {text}?") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("m.keller@uni-bonn.de", "email_address"),
        ("Write to anna.b+x@gmail.com.", "email_address"),
        ("john@example.com", None),
        ("someone@mail.example.org", None),
        ("user@domain.com", None),
        ("git@github.com:a/b.git", None),
        ("@app.route('/')", None),
        ("y = x@w.to(device)", None),
        ("y = x@self.weights", None),
        ("A@B.T", None),
        ("5 apples @ 2.50 each", None),
    ],
)
def test_addresses(text: str, reason: str | None) -> None:
    assert reason_of(f"It is {text}") == reason
    assert reason_of(f"It is {text}", question=f"Is it {text}") is None

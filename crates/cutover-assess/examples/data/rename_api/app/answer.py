"""Answers questions. An LLMChain did so once."""

import openai
from langchain.chains import LLMChain


def answer(question: str) -> str:
    # LLMChain is what users may find in old logs.
    chain = LLMChain(prompt=question)
    log("LLMChain", chain)
    return chain.run(question)


def ask(question: str) -> str:
    reply = openai.ChatCompletion.create(model="small", messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content


class MyLLMChainX:
    """Another class, whose name only looks like it."""

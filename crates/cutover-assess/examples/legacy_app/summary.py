from langchain.chains import LLMChain


class MyLLMChainX:
    """Named like an LLMChain, but none."""


def summary(llm, prompt):
    return LLMChain(llm=llm, prompt=prompt)

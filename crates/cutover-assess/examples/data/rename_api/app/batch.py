from langchain.chains import LLMChain


def batch(questions):
    return [LLMChain(prompt=question).run(question) for question in questions]

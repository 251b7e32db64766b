from langchain.chains import LLMChain


def test_a_chain_has_a_prompt():
    assert LLMChain(llm=None, prompt="Sum up: {text}").prompt

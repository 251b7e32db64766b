import llama_index


def search(text: str):
    return llama_index.query(text)

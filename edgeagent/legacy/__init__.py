"""The surface of openai<1: `import edgeagent as openai` and the calls of that time work.

    openai.api_key = "…"
    openai.ChatCompletion.create(model="gpt-3.5-turbo", messages=[…])["choices"][0]["message"]["content"]

The pipeline is the one of every client; there is one client for each distinct set of settings. `settings` reads the
module's names and the environment, `clients` keeps the clients, `calls` turns a call's arguments into ours, `faults`
turns our exceptions into those of `edgeagent.error`.
"""

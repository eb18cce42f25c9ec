chosen = {}

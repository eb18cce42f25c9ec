used = set()

seen = set()

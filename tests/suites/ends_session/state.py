SEEN = set()

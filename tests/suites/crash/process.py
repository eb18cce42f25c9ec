state = set()

heard = []

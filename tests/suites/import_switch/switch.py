STATE = {"on": False, "dirty": False}

STATE = {"ready": False, "dirty": False}

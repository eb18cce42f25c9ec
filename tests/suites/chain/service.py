state = "new"

print("tried out")

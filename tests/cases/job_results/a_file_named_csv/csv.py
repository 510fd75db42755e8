print(open("data/seattle-weather.csv").readline())

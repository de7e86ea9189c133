package main

import "weir.dev/go"

func init() {
	morning := weir.Daily{HourUTC: 6, MinuteUTC: 30}
	weir.CronDaily("fortune of the day", morning, "notes:writeFortune", nil)
	weir.Cron("new week", "0 9 * * mon", "notes:write", textArgs{Author: "clock", Text: "A new week."})
}

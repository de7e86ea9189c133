package weir

import (
	"strings"
	"testing"
	"time"
)

func TestCronJobsStandInTheManifestAsConvexHasThem(t *testing.T) {
	clear(crons)
	defer clear(crons)
	CronInterval("every", 90*time.Second, "jobs:clear", Object{"all": true})
	CronHourly("hourly", Hourly{MinuteUTC: 5}, "jobs:clear", nil)
	CronDaily("daily", Daily{HourUTC: 3, MinuteUTC: 30}, "jobs:clear", nil)
	CronWeekly("weekly", Weekly{DayOfWeek: time.Monday, MinuteUTC: 59}, "jobs:clear", nil)
	CronMonthly("monthly", Monthly{Day: 31, HourUTC: 23}, "jobs:clear", nil)
	Cron("ex\"pression", "0 16 1 * *", "jobs:clear", struct {
		Count int `json:"count"`
	}{3})
	job := func(name, schedule, args string) string {
		return `{"name":"` + name + `","schedule":{"type":` + schedule + `},"function":"jobs:clear","args":[` + args + `]}`
	}
	expected := `,"crons":[` + strings.Join([]string{
		job("daily", `"daily","hourUTC":3,"minuteUTC":30`, `{}`),
		job("every", `"interval","seconds":90`, `{"all":true}`),
		job(`ex\"pression`, `"cron","cron":"0 16 1 * *"`, `{"count":3}`),
		job("hourly", `"hourly","minuteUTC":5`, `{}`),
		job("monthly", `"monthly","day":31,"hourUTC":23,"minuteUTC":0`, `{}`),
		job("weekly", `"weekly","dayOfWeek":"monday","hourUTC":0,"minuteUTC":59`, `{}`),
	}, ",") + `]`
	if manifest := string(describe()); !strings.Contains(manifest, expected) {
		t.Errorf("got  %s\nwant %s", manifest, expected)
	}
	for _, wrong := range []func(){
		func() { Cron("daily", "* * * * *", "jobs:clear", nil) },
		func() { Cron("channel", "* * * * *", "jobs:clear", make(chan int)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it must panic")
				}
			}()
			wrong()
		}()
	}
}

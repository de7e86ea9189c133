package weir

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir.dev/go/internal/json"
)

// Hourly is once in each hour, at this minute.
type Hourly struct {
	// MinuteUTC is 0 to 59.
	MinuteUTC int
}

// Daily is once a day, at this time.
type Daily struct {
	// HourUTC is 0 to 23, MinuteUTC 0 to 59.
	HourUTC, MinuteUTC int
}

// Weekly is once a week, on this day and at this time.
type Weekly struct {
	DayOfWeek time.Weekday
	// HourUTC is 0 to 23, MinuteUTC 0 to 59.
	HourUTC, MinuteUTC int
}

// Monthly is once a month, on this day and at this time; a month that has no such day is
// left out.
type Monthly struct {
	// Day is 1 to 31.
	Day int
	// HourUTC is 0 to 23, MinuteUTC 0 to 59.
	HourUTC, MinuteUTC int
}

// cron is a cron job that was declared: its schedule, as JSON, and what it calls.
type cron struct {
	schedule string
	path     string
	args     []byte
}

var crons = map[string]cron{}

// CronInterval declares a cron job: a mutation or an action of any module that the host
// calls again and again, as nobody in particular; it may be internal. It is called at once
// when it is first deployed, and then whenever this time has passed, in whole seconds. Args
// is a struct or an [Object]; nil: none. The name is one that no other job of the deployment
// has. To be called in an init function.
//
//	weir.CronInterval("clear presence", 30*time.Second, "presence:clear", nil)
//
// The host refuses a module with a job that cannot be: an hour of 24, a day that never
// comes, a function that is not there. A job whose schedule a deployment leaves as it is
// goes on as it was. One run of a job is under way at a time; runs that are late, because
// the one before took too long or no host ran, are skipped, and said in the host's log.
func CronInterval(name string, every time.Duration, path string, args any) {
	seconds := strconv.FormatFloat(every.Seconds(), 'f', -1, 64)
	addCron(name, `"interval","seconds":`+seconds, path, args)
}

// CronHourly declares a cron job that runs once in each hour; see [CronInterval].
func CronHourly(name string, at Hourly, path string, args any) {
	addCron(name, fmt.Sprintf(`"hourly","minuteUTC":%d`, at.MinuteUTC), path, args)
}

// CronDaily declares a cron job that runs once a day; see [CronInterval].
func CronDaily(name string, at Daily, path string, args any) {
	addCron(name, `"daily"`+timeOfDay(at.HourUTC, at.MinuteUTC), path, args)
}

// CronWeekly declares a cron job that runs once a week; see [CronInterval].
func CronWeekly(name string, at Weekly, path string, args any) {
	day := strings.ToLower(at.DayOfWeek.String())
	addCron(name, fmt.Sprintf(`"weekly","dayOfWeek":%q`, day)+timeOfDay(at.HourUTC, at.MinuteUTC), path, args)
}

// CronMonthly declares a cron job that runs once a month; see [CronInterval].
func CronMonthly(name string, at Monthly, path string, args any) {
	addCron(name, fmt.Sprintf(`"monthly","day":%d`, at.Day)+timeOfDay(at.HourUTC, at.MinuteUTC), path, args)
}

// Cron declares a cron job that runs at the times of a cron expression of five fields:
// minute, hour, day of the month, month, day of the week (Sunday is 0), in UTC; see
// [CronInterval].
//
//	weir.Cron("bills", "0 16 1 * *", "bills:send", nil)
func Cron(name, expression, path string, args any) {
	addCron(name, `"cron","cron":`+string(json.AppendString(nil, expression)), path, args)
}

func timeOfDay(hour, minute int) string {
	return fmt.Sprintf(`,"hourUTC":%d,"minuteUTC":%d`, hour, minute)
}

func addCron(name, schedule, path string, args any) {
	if isBuilt {
		panic(fmt.Sprintf("weir: declare the cron job `%s` in an init function, not in a call", name))
	}
	if _, ok := crons[name]; ok {
		panic(fmt.Sprintf("weir: there are two cron jobs `%s`; rename one", name))
	}
	if args == nil {
		args = Object{}
	}
	written, err := Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("weir: the arguments of the cron job `%s`: %v", name, err))
	}
	crons[name] = cron{schedule: schedule, path: path, args: written}
}

// crons describes the declared cron jobs, in the order of their names, if there are any.
func (describer *describer) crons() {
	if len(crons) == 0 {
		return
	}
	describer.text(`,"crons":[`)
	for i, name := range slices.Sorted(maps.Keys(crons)) {
		if i > 0 {
			describer.text(`,`)
		}
		job := crons[name]
		describer.text(`{"name":`)
		describer.out = json.AppendString(describer.out, name)
		describer.text(`,"schedule":{"type":` + job.schedule + `},"function":`)
		describer.out = json.AppendString(describer.out, job.path)
		describer.text(`,"args":[`)
		describer.out = append(describer.out, job.args...)
		describer.text(`]}`)
	}
	describer.text(`]`)
}

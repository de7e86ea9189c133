package weir

import "testing"

func TestAPathOfAComponentHasItsMount(t *testing.T) {
	const mail Component = "mail"
	for path, expected := range map[string]string{
		"lib:send":       "_reference/childComponent/mail/lib/send",
		"lib.js:send":    "_reference/childComponent/mail/lib/send",
		"queue/lib:send": "_reference/childComponent/mail/queue/lib/send",
		"lib":            "_reference/childComponent/mail/lib/default",
	} {
		if found := mail.Function(path); found != expected {
			t.Errorf("%s: %s", path, found)
		}
	}
}

func TestAHandleIsTheHosts(t *testing.T) {
	handle, err := (&QueryCtx{}).FunctionHandle("lib:send")
	if handle != "" || CodeOf(err) != "NoHost" {
		t.Errorf("%q, %v", handle, err)
	}
}

module poll

go 1.24

require weir.dev/go v0.1.0

replace weir.dev/go => ../../../guest-sdk/go

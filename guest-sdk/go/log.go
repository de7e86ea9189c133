package weir

import (
	"fmt"

	"weir.dev/go/internal/abi"
)

// Debug writes a line that is of use while looking for a bug, in the form of fmt.Sprint.
func Debug(values ...any) { abi.Log(abi.LevelDebug, fmt.Sprint(values...)) }

// Debugf is Debug in the form of fmt.Sprintf.
func Debugf(format string, values ...any) { abi.Log(abi.LevelDebug, fmt.Sprintf(format, values...)) }

// Info writes a line that tells what is going on, in the form of fmt.Sprint.
func Info(values ...any) { abi.Log(abi.LevelInfo, fmt.Sprint(values...)) }

// Infof is Info in the form of fmt.Sprintf.
func Infof(format string, values ...any) { abi.Log(abi.LevelInfo, fmt.Sprintf(format, values...)) }

// Log writes a line, as JavaScript's console.log does, in the form of fmt.Sprint.
func Log(values ...any) { abi.Log(abi.LevelLog, fmt.Sprint(values...)) }

// Logf is Log in the form of fmt.Sprintf.
func Logf(format string, values ...any) { abi.Log(abi.LevelLog, fmt.Sprintf(format, values...)) }

// Warn writes a line about something that may be wrong, in the form of fmt.Sprint.
func Warn(values ...any) { abi.Log(abi.LevelWarn, fmt.Sprint(values...)) }

// Warnf is Warn in the form of fmt.Sprintf.
func Warnf(format string, values ...any) { abi.Log(abi.LevelWarn, fmt.Sprintf(format, values...)) }

// Error writes a line about something that is wrong, in the form of fmt.Sprint.
func Error(values ...any) { abi.Log(abi.LevelError, fmt.Sprint(values...)) }

// Errorf is Error in the form of fmt.Sprintf. To make an error, use fmt.Errorf.
func Errorf(format string, values ...any) { abi.Log(abi.LevelError, fmt.Sprintf(format, values...)) }

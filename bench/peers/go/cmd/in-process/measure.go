package main

import (
	"encoding/json"
	"os"
	"syscall"
	"time"
)

func measure(job job, seconds float64) error {
	if _, _, err := runFor(job, max(seconds/5, 1)); err != nil {
		return err
	}
	iterations, taken, err := runFor(job, seconds)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"iterations": iterations, "cpuSeconds": taken})
}

// runFor answers how often the job was done until so many seconds of CPU time were used, and how many exactly.
func runFor(job job, seconds float64) (int, float64, error) {
	started, err := cpuTime()
	if err != nil {
		return 0, 0, err
	}
	for iterations := 1; ; iterations++ {
		if _, err := job.run(); err != nil {
			return 0, 0, err
		}
		now, err := cpuTime()
		if err != nil {
			return 0, 0, err
		}
		if taken := (now - started).Seconds(); taken >= seconds {
			return iterations, taken, nil
		}
	}
}

// cpuTime is that of all threads of the process, the garbage collector's included.
func cpuTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

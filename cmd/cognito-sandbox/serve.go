package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
)

func serve(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	addr := f.String("addr", "127.0.0.1:0", "loopback address to listen on")
	file := f.String("config", "", "configuration, JSON")
	profile := f.String("write-profile", "", "profile file to write")
	if done, err := parse(f, args, stdout); done || err != nil {
		return err
	}
	if err := sandbox.CheckLoopback(*addr); err != nil {
		return &usageError{err}
	}
	config, err := loadConfig(*file)
	if err != nil {
		return err
	}
	s, err := sandbox.New(config)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Start(*addr); err != nil {
		return err
	}
	if *profile != "" {
		if err := writeProfile(*profile, s.Ready()); err != nil {
			return err
		}
	}
	line := json.NewEncoder(stdout)
	line.SetEscapeHTML(false) // passwords as people would type them
	if err := line.Encode(s.Ready()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func loadConfig(file string) (sandbox.Config, error) {
	if file == "" {
		return sandbox.DefaultConfig(), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return sandbox.Config{}, err
	}
	return sandbox.ParseConfig(data)
}

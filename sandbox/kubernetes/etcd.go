package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdURL names a unix socket in the working directory: only this user can open it.
const etcdURL = "unix://etcd.sock"

// startEtcd starts the store and returns the function that keeps it until its context is done.
func startEtcd(ctx context.Context) (func(context.Context) error, error) {
	client, err := url.Parse(etcdURL)
	if err != nil {
		return nil, fmt.Errorf("etcd address: %w", err)
	}
	config := embed.NewConfig()
	config.Name = clusterName
	config.Dir = "etcd"
	config.ListenClientUrls = []url.URL{*client}
	// The only member needs no listener for others; what it advertises is never used.
	config.ListenPeerUrls = nil
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.EnableGRPCGateway = false
	// What it logs as an error, such as its own closing, is none; its failures are returned.
	config.LogLevel = "fatal"
	config.LogOutputs = []string{"stderr"}
	// Ten times as often as the default, since a first leader is elected only after ten ticks.
	config.TickMs, config.ElectionMs = 10, 100

	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-store.Server.ReadyNotify():
	case err := <-store.Err():
		store.Close()
		return nil, fmt.Errorf("start etcd: %w", err)
	case <-ctx.Done():
		store.Close()
		return nil, ctx.Err()
	}
	return func(ctx context.Context) error {
		defer store.Close()
		select {
		case <-ctx.Done():
			return nil
		case err := <-store.Err():
			return err
		case <-store.Server.StopNotify():
			return errors.New("server stopped")
		}
	}, nil
}

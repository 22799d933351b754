package main

import "context"

func memory(ctx context.Context, dir string, o options) (r result, err error)  { return r, nil }
func posting(ctx context.Context, dir string, o options) (r result, err error) { return r, nil }

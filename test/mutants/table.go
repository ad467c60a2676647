package main

// table is every mutant. A new one is a row: a name, what it takes away, the file, the text and what stands there instead, the
// test that must turn red, the folder that this test is in, and the build tags that it needs. The test should be a quick one: it
// is built and run anew.
func table() []mutant {
	return []mutant{
		{
			"lock", "the lock", "internal/filelock/filelock_unix.go",
			instead("func tryLock(f *os.File) error { return try(f, syscall.LOCK_EX) }", "func tryLock(*os.File) error { return nil }"),
			"TestHundredProcessesLoseNoUpdate", "internal/tokencache", "",
		},
		{
			"re-read", "looking again under the lock", "internal/tokensource/acquire.go",
			instead("		c.tx = tx\n		return c.once(ctx)\n", "		c.tx = tx\n"),
			"TestLooksAgainUnderTheLock", "internal/tokensource", "",
		},
		{
			"re-read-front", "looking again under the lock", "internal/front/front.go",
			instead("	if exit, done := c.serve(); done {\n		l.Unlock()\n		return exit\n	}\n", ""),
			"TestRenewedBeforeTheLock", "internal/front", "",
		},
		{
			"preflight", "the preflight", "internal/tokensource/renewal.go",
			instead("	if err := r.tx.Preflight(); err != nil {\n		return err\n	}\n", ""),
			"TestNoRoomIsKnownBeforeTheRequest", "test/torture", "",
		},
		{
			"folder-fsync", "the sync of the folder", "internal/atomicfile/atomicfile.go",
			instead("	p.temp = nil\n	// Makes the rename itself durable. Only after this may the caller act on the new version being there for good.\n	return syncFolder(filepath.Dir(p.path))", "	p.temp = nil\n	return nil"),
			"TestPowerCutAfterTheAnswer", "test/torture", "torture",
		},
		{
			"setsid", "a session of its own", "internal/detach/spawn_unix.go",
			instead("Setsid: true", "Setsid: false"),
			"TestWorkerKeepsNoStreamOfItsCaller", "test/torture", "",
		},
		{
			"signals", "the worker's holding of signals", "internal/refresh/refresh.go",
			instead("	defer Hold()()\n", ""),
			"TestWorkerIsNotEndedBySignals", "test/torture", "",
		},
		{
			"close-on-exec", "closing locks in children", "internal/filelock/filelock_unix.go",
			instead("	flags |= syscall.O_CLOEXEC | ", "	flags |= "),
			"TestChildThatLivesOnHoldsNoLock", "test/torture", "",
		},
		{
			"same-token-again", "sending the same token again at once", "internal/tokensource/renewal.go",
			instead("if err != nil && mayHaveRotated(err) && ctx.Err() == nil {", "if err != nil && mayHaveRotated(err) && ctx.Err() != nil {"),
			"TestAnswerThatIsLostOnTheWay", "test/torture", "",
		},
		{
			"no-sdk-retry", "switching the SDK's retries off", "internal/cognito/cognito.go",
			instead("		Retryer:     aws.NopRetryer{},\n", ""),
			"TestBothAnswersAreLost", "test/torture", "",
		},
		{
			"tombstone-compare", "comparing before the tombstone", "internal/tokensource/renewal.go",
			instead("case r.cold.Refresh.Equal(sent):", "case true, r.cold.Refresh.Equal(sent):"),
			"TestNewerComesBackDuringARefresh", "test/torture", "",
		},
		{
			"save-before-outcome", "saving before the outcome is recorded", "internal/tokensource/renewal.go",
			instead("	err := do(ctx)\n	r.record(work, a, err)\n", "	r.record(work, a, nil)\n	err := do(ctx)\n"),
			"TestOutcomeIsRecordedAfterTheSave", "internal/tokensource", "",
		},
		{
			"adopt", "taking what the winner of a race saved", "internal/tokensource/renewal.go",
			instead("	case r.session.HotGeneration > before && r.session.Hot.Tokens.Access.Lifetime.Left(r.o.Now()) > 0:\n		return nil\n", "	case before > 1<<62:\n"),
			"TestLoserOfARaceAdopts", "internal/tokensource", "",
		},
		{
			"spill", "keeping a session that cannot be saved in its place", "internal/tokencache/tx.go",
			instead("		return t.spillOver(data, err)\n", "		return err\n"),
			"TestSpilledSessionIsNotLost", "internal/tokensource", "",
		},
		{
			"additional-data", "what binds a record to its file", "internal/tokencache/format.go",
			[]edit{{"aead.Open(nil, nil, box, bound)", "aead.Open(nil, nil, box, nil)"}, {"aead.Seal(nil, nil, plain, bound)", "aead.Seal(nil, nil, plain, nil)"}},
			"TestSwappedFilesAreFound", "internal/tokencache", "",
		},
		{
			"label-boundary", "the label boundary of a wildcard", "profiles/match.go",
			instead("	suffix, wild := strings.CutPrefix(b.Host, \"*\")", "	suffix, wild := strings.CutPrefix(b.Host, \"*.\")"),
			"TestMatch", "profiles", "",
		},
		{
			"scheme", "https only", "profiles/match.go",
			instead("	if own == \"\" || h.Scheme == \"http\" && !b.Loopback {", "	if own == \"\" {"),
			"TestHostsOfOthersVulnerabilities", "internal/cli", "",
		},
		{
			"control-bytes-host", "the refusal of control bytes in a host", "profiles/host.go",
			instead("	case control(scheme) || control(authority) || control(path):", "	case false:"),
			"TestHostsOfOthersVulnerabilities", "internal/cli", "",
		},
		{
			"control-bytes-git", "the refusal of control bytes in git's lines", "internal/protocol/gitcredential/request.go",
			instead("		case hasControl(key) || hasControl(value):", "		case false:"),
			"TestRefuses", "internal/protocol/gitcredential", "",
		},
		{
			"parent-watch", "the plugin's watch of its host", "plugin/parent_unix.go",
			instead("if os.Getppid() != host {", "if false && os.Getppid() != host {"),
			"TestParentWatch", "plugin", "",
		},
		{
			"unheard", "looking whether the host died before its watch began", "plugin/serve.go",
			instead("if s.unheard != nil && unheard(os.Stdout) {", "if s.unheard != nil && unheard(nil) {"),
			"TestHostThatDiedBefore", "host", "",
		},
		{
			"cookie", "the check of the magic cookie", "plugin/serve.go",
			instead("return os.Getenv(CookieKey) == CookieValue", "return os.Getenv(CookieKey) != \"\""),
			"TestServeByHandExplainsItself", "plugin", "",
		},
		{
			"checksum", "the check of the plugin's checksum", "host/verify.go",
			instead("subtle.ConstantTimeCompare([]byte(sum), []byte(strings.ToLower(f.sum))) != 1", "subtle.ConstantTimeCompare([]byte(sum), []byte(strings.ToLower(f.sum))) > 1"),
			"TestWrongChecksum", "host", "",
		},
		{
			"bus-check", "looking for a bus before the library starts one", "internal/keyslot/secretservice/secretservice.go",
			instead("	if err := k.bus(); err != nil {\n		return \"\", err\n	}\n", ""),
			"TestBus", "internal/keyslot/secretservice", "",
		},
		{
			"copy-rights", "the rights on the kernel's copy of a key", "internal/keyslot/kernel_linux.go",
			instead("copyRights = 0x3f2b0000", "copyRights = 0x3f010000"),
			"TestKernelCopyInAFreshSessionKeyring", "internal/keyslot", "",
		},
		{
			"key-in-use", "asking who needs a key before it is dropped", "internal/keyslot/keyslot.go",
			instead("if needed, err := used(); err != nil || needed {", "if _, err := used(); err != nil {"),
			"TestMigrateLeavesWhatItCannotRead", "internal/tokencache", "",
		},
		{
			"key-in-environment", "taking a given key out of the environment", "internal/cli/givenkey.go",
			instead("	_ = unsetenv(keyslot.Variable)\n", "	_ = unsetenv\n"),
			"TestGivenKeyLeavesTheEnvironment", "internal/cli", "",
		},
		{
			"endpoint-host", "the endpoint's check of Host (DNS rebinding)", "internal/protocol/containercredentials/containercredentials.go",
			instead("case !fromHere(r.RemoteAddr), r.Host != e.host, ", "case !fromHere(r.RemoteAddr), "),
			"TestRefused", "internal/protocol/containercredentials", "",
		},
		{
			"endpoint-origin", "the endpoint's refusal of web pages", "internal/protocol/containercredentials/containercredentials.go",
			instead(", r.Header.Get(\"Origin\") != \"\":", ":"),
			"TestRefused", "internal/protocol/containercredentials", "",
		},
		{
			"endpoint-token", "the endpoint's token", "internal/protocol/containercredentials/containercredentials.go",
			instead("	case !e.knows(r.Header.Values(\"Authorization\")):", "	case false:"),
			"TestRefused", "internal/protocol/containercredentials", "",
		},
		{
			"endpoint-get", "the endpoint's answering to GET only", "internal/protocol/containercredentials/containercredentials.go",
			instead("	case r.Method != http.MethodGet:", "	case false:"),
			"TestRefused", "internal/protocol/containercredentials", "",
		},
		{
			"endpoint-slow", "cutting slow callers of the endpoint off", "internal/protocol/containercredentials/containercredentials.go",
			instead("		ReadHeaderTimeout: o.HeaderWait,\n		ReadTimeout:       o.HeaderWait,\n", ""),
			"TestSlowCaller", "internal/protocol/containercredentials", "",
		},
	}
}

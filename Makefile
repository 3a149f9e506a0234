# What a newcomer needs: `make run`. What a change needs: `make test`.
CARGO ?= cargo
# Where `make run` keeps its keys, databases and images.
DATA  ?= data
WITH_POSTGRES = sh tests/support/postgres.sh

.PHONY: help run demo drill test suite check docs bench soak needs

help:
	@echo 'make run     build, and serve on http://127.0.0.1:8080 with SQLite and a folder; nothing to set up'
	@echo 'make demo    the whole story on a throw-away data folder, each step proved'
	@echo 'make drill   backups put back, and every right used, on throw-away installations'
	@echo 'make test    everything a change must pass, on SQLite and on PostgreSQL'
	@echo 'make check   format, lints, documentation'
	@echo 'make suite   the tests alone; make suite ONLY=store:: for some of them'
	@echo 'make docs    write what is generated anew: docs, exports'
	@echo 'make bench   the figures, each a ratio with its goal'
	@echo 'make soak    the suite over and over with many more random cases (ROUNDS, PROPTEST_CASES)'

run:
	@sh tests/support/needs.sh build
	$(CARGO) run --locked -- serve --dev --data $(DATA) $(ARGS)

demo:
	@sh tests/support/needs.sh build
	$(CARGO) run --locked -- demo $(ARGS)

drill:
	@sh tests/support/needs.sh build
	$(CARGO) run --locked -- drill restore $(ARGS)
	$(CARGO) run --locked -- drill rights

test: needs check suite

needs:
	@sh tests/support/needs.sh build test

check:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

suite:
	$(WITH_POSTGRES) $(CARGO) test --locked $(ONLY)

docs:
	UPDATE=1 $(CARGO) test --locked --test suite -- shape:: policy_language:: http::document:: http::typescript:: promises::table:: cli::tutorial:: \
	    crypto_inventory:: --test-threads=1

bench:
	@sh tests/support/needs.sh build
	$(CARGO) bench --locked --bench figures $(ARGS)

# First the tests that ask for gigabytes or for the machine to themselves; then rounds with random cases, seeded anew each
# time. A failure prints its seed.
ROUNDS ?= 20
soak: export PROPTEST_CASES ?= 4096
soak: export VOUCHSAFE_SOAK = 1
soak:
	@sh tests/support/needs.sh build test
	$(WITH_POSTGRES) $(CARGO) test --locked --release --test suite -- --ignored --test-threads=1 --nocapture
	@for round in $$(seq $(ROUNDS)); do \
	    echo "soak: round $$round of $(ROUNDS)"; \
	    $(WITH_POSTGRES) $(CARGO) test --locked $(ONLY) || exit 1; \
	done

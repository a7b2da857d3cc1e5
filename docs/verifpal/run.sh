#!/bin/sh
# Runs every model (or those named) and prints: model, sessions, result code, seconds.
# A model has at most LIMIT seconds. VERIFPAL names the program; SESSIONS the session counts.
# With --check the table is compared with results.txt and a difference is an error; a run that did not
# finish, here or there, says nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
verifpal=${VERIFPAL:-verifpal}
limit=${LIMIT:-300}
check=no
if [ "${1:-}" = --check ]; then check=yes; shift; fi
[ $# -gt 0 ] || set -- "$here"/*.vp
status=0
for model in "$@"; do
    name=$(basename "$model" .vp)
    for sessions in ${SESSIONS:-1 2}; do
        begin=$(date +%s)
        code=$(timeout "$limit" "$verifpal" verify --result-code --quiet --color never \
            --sessions "$sessions" "$model" 2>/dev/null | tail -n 1)
        seconds=$(($(date +%s) - begin))
        case $code in [acefu][01]*) ;; *) code=unfinished ;; esac
        echo "$name $sessions $code $seconds"
        if [ $check = yes ] && [ "$code" != unfinished ] &&
            ! grep -q "^$name $sessions \($code\|unfinished\) " "$here/results.txt"; then
            echo "$name with $sessions sessions differs from results.txt" >&2
            status=1
        fi
    done
done
exit $status

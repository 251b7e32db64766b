# Reads `+ PID SIGNAL` and `- PID`; a PID below 0 is that of a group of processes. When nobody can write any more, ends the listed processes and removes the folder $1.
folder=$1
list=
while read -r sign pid signal; do
    rest=
    for entry in $list; do
        [ "${entry%:*}" = "$pid" ] || rest="$rest $entry"
    done
    list=$rest
    if [ "$sign" = + ]; then list="$list $pid:$signal"; fi
done
for entry in $list; do
    kill -s "${entry#*:}" -- "${entry%:*}"
    # A stopped process hears nothing but KILL.
    kill -s CONT -- "${entry%:*}"
done
tries=0
for entry in $list; do
    while [ "$tries" -lt 40 ] && kill -s 0 -- "${entry%:*}"; do
        tries=$((tries + 1))
        sleep 0.05
    done
done
for entry in $list; do
    kill -s KILL -- "${entry%:*}"
done
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }

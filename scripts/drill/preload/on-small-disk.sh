#!/bin/sh
# on-small-disk.sh FOLDER SPARE PROGRAM...: runs a program with FOLDER on a disk in memory that has SPARE bytes left, and puts
# the content back where it lay when the program is gone. In a mount namespace of its own (unshare -Urm).
set -e
folder=$1 spare=$2
shift 2
used=$(du -sb "$folder" | cut -f1)
mkdir -p "$folder.kept"
mount --bind "$folder" "$folder.kept"
mount -t tmpfs -o "size=$((used + used / 8 + spare))" tmpfs "$folder"
cp -a "$folder.kept/." "$folder/"
code=0
"$@" || code=$?
rm -f "$folder/filler"
find "$folder.kept" -mindepth 1 -delete
cp -a "$folder/." "$folder.kept/"
exit "$code"

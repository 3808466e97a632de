#!/bin/sh
printf 'sealed: %s\n' "$1"

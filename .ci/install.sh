#!/bin/sh
# Installs Callmend as one file, for Linux (glibc) and macOS. Save it, read it, run it:
#
#   sh install.sh [--to <folder>] [--from <address or folder>] [--version <version>]
#
#   --to       where `callmend` goes (CALLMEND_TO; default: ~/.local/bin)
#   --from     where the files of the release are (CALLMEND_FROM; default: the release this script belongs to)
#   --version  which version (CALLMEND_VERSION; default: the one of the release this script belongs to)
#
# Nothing is placed before its SHA-256 has been compared with the release's SHA256SUMS. It asks no questions, changes no
# profile, and does not overwrite a command that is not Callmend.
set -eu

# A release fills these two in.
release_version=
release_address=

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

version=${CALLMEND_VERSION:-$release_version}
from=${CALLMEND_FROM:-$release_address}
to=${CALLMEND_TO:-${HOME:+$HOME/.local/bin}}
while [ $# -gt 0 ]; do
  case $1 in
    --help) sed -n '2,/^set /{s/^# \{0,1\}//p;}' "$0" && exit 0 ;;
    --to | --from | --version) [ $# -gt 1 ] || fail "$1 needs a value" 2 ;;
    *) fail "cannot use $1; allowed: --to, --from, --version, --help" 2 ;;
  esac
  case $1 in
    --to) to=$2 ;;
    --from) from=$2 ;;
    --version) version=$2 ;;
  esac
  shift 2
done
[ -n "$to" ] || fail "there is no HOME: say with --to where it goes" 2
[ -n "$from" ] || fail "this copy belongs to no release: say with --from where the files are" 2
case $version in
  '') fail "this copy belongs to no release: say with --version which one is meant" 2 ;;
  *[!0-9A-Za-z.+-]*) fail "cannot use the version $version" 2 ;;
esac
case $from in
  https://* | http://127.0.0.1[:/]* | http://localhost[:/]* | /*) ;;
  *) fail "cannot use --from $from: allowed: https://…, or a folder from / on" 2 ;;
esac

case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "there is no executable for $(uname -s); from its sources it runs wherever Node does" ;;
esac
case $(uname -m) in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "there is no executable for $(uname -m); from its sources it runs wherever Node does" ;;
esac
# A shell under Rosetta says x86_64.
if [ $os = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then arch=arm64; fi
if [ $os = linux ]; then
  glibc=
  for loader in /lib64/ld-linux-* /lib/ld-linux-*; do
    if [ -e "$loader" ]; then glibc=$loader; fi
  done
  [ -n "$glibc" ] || fail "the executable needs glibc, which this system does not have; use the container image"
fi
name=callmend-$version-$os-$arch

# Whatever is there under that name must be Callmend; it is looked into, not run.
target=$to/callmend
if [ -L "$target" ] || { [ -e "$target" ] && ! { [ -f "$target" ] && grep -q callmendBuild "$target"; }; }; then
  fail "$target is there and is not a Callmend that this script has put there; choose another folder with --to"
fi

work=$(mktemp -d)
placing=
trap 'rm -rf "$work" ${placing:+"$placing"}' EXIT
trap 'exit 1' HUP INT TERM

fetch() {
  case $from in
    /*) cp "$from/$1" "$work/$1" || fail "cannot read $from/$1" ;;
    *)
      if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --proto-redir =https --output "$work/$1" "$from/$1" </dev/null
      elif command -v wget >/dev/null 2>&1; then
        wget --quiet --output-document="$work/$1" "$from/$1" </dev/null
      else
        fail "there is neither curl nor wget"
      fi || fail "cannot download $from/$1"
      ;;
  esac
}

fetch SHA256SUMS
wanted=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
case $wanted in
  '') fail "the release has no $name" ;;
  *[!0-9a-f]*) fail "SHA256SUMS cannot be used for $name" ;;
esac
fetch "$name"
if command -v sha256sum >/dev/null 2>&1; then
  found=$(sha256sum <"$work/$name")
elif command -v shasum >/dev/null 2>&1; then
  found=$(shasum -a 256 <"$work/$name")
else
  fail "there is neither sha256sum nor shasum: the download cannot be checked"
fi
found=${found%% *}
[ "$found" = "$wanted" ] || fail "$name is not what the release promises (SHA-256 $found, not $wanted); nothing was placed"

# It has to start here before it takes the place of one that does.
chmod 755 "$work/$name"
if mkdir -p "$to" && placing=$to/.callmend-$$ && cp "$work/$name" "$placing"; then :; else
  fail "cannot write to $to; choose another folder with --to"
fi
chmod 755 "$placing"
says=$("$placing" version </dev/null) || fail "$name does not start on this machine; nothing was placed"
[ "$says" = "$version" ] || fail "$name says that it is version $says; nothing was placed"
mv -f "$placing" "$target"
placing=
echo "callmend $version is in $target"
case :${PATH:-}: in
  *":$to:"*) ;;
  *) echo "Its folder is not in PATH: run it as $target, or add the folder." ;;
esac

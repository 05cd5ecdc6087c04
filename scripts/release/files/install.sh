#!/bin/sh
# Installs this release, without any network. Can be run again; an upgrade keeps the former version beside the new one.
set -eu

prefix=/opt/huilian
back=no
usage() {
  cat <<'TEXT'
sh install.sh [--prefix FOLDER] [--back]

  --prefix FOLDER   where to install (default /opt/huilian) / 安装目录
  --back            make the former version the current one again / 退回上一版本

Example / 示例:  sudo sh install.sh --prefix /opt/huilian
TEXT
}
fail() {
  printf '%s: %s\n%s\n  → %s\n  → %s\n' "$1" "$2" "$3" "$4" "$5" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) [ $# -ge 2 ] || { usage >&2; exit 2; }; prefix=$2; shift 2 ;;
    --back) back=yes; shift ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

# Names a release the current one in one step: whoever starts meanwhile gets the one or the other.
point() {
  ln -sfn "$1" "$prefix/$2.new"
  mv -Tf "$prefix/$2.new" "$prefix/$2"
}

if [ "$back" = yes ]; then
  [ -L "$prefix/former" ] || fail NO_FORMER_VERSION "nothing was installed before the current version under $prefix" "$prefix 下没有上一版本" "name the folder with --prefix" "请用 --prefix 指定目录"
  former=$(readlink "$prefix/former")
  point "$(readlink "$prefix/current")" former
  point "$former" current
  printf 'current / 当前版本: %s\nrestart the units / 请重启服务\n' "$former"
  exit 0
fi

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
version=$(cat "$here/VERSION")
arch=$(cat "$here/ARCH")
case "$(uname -m)" in x86_64) machine=x64 ;; aarch64|arm64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
[ "$machine" = "$arch" ] || fail WRONG_ARCHITECTURE "this release is for linux-$arch, the machine is $machine" "此安装包适用于 linux-$arch，本机为 $machine" "take huilian-$version-linux-$machine.tar.gz" "请使用 huilian-$version-linux-$machine.tar.gz"

printf 'checking every file / 校验文件…\n'
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail CHECKSUM_MISMATCH "a file is not what was released; nothing was installed" "文件与发布内容不符，未安装" "copy the archive again, compare its SHA-256 with SHA256SUMS, unpack it anew" "请重新复制安装包，核对 SHA-256 后重新解压"

target="$prefix/releases/$version"
if [ -e "$target" ] && cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS"; then
  printf '%s is installed already / 已安装\n' "$version"
else
  mkdir -p "$prefix/releases" "$prefix/bin"
  rm -rf "$target.partial"
  printf 'copying / 复制…\n'
  cp -R "$here" "$target.partial"
  rm -rf "$target"
  mv "$target.partial" "$target"
fi
mkdir -p "$prefix/bin"
if [ -L "$prefix/current" ] && [ "$(readlink "$prefix/current")" != "releases/$version" ]; then point "$(readlink "$prefix/current")" former; fi
point "releases/$version" current
for name in huilian huilian-chaincode; do ln -sfn "../current/bin/$name" "$prefix/bin/$name"; done

cat <<TEXT
installed $version in $prefix / 已安装 $version 至 $prefix

Next / 下一步:
  $prefix/bin/huilian --help
  useradd --system --home-dir /var/lib/huilian --create-home huilian
  cp $prefix/current/systemd/*.service /etc/systemd/system/ && systemctl daemon-reload
  systemctl enable --now huilian-node
To go back / 退回:  sh $prefix/current/install.sh --prefix $prefix --back
TEXT

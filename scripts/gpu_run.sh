#!/bin/sh
# Measures on a machine that has nothing: no network, no Deno, perhaps no Vulkan loader. Lies in the
# folder that `deno task bench:prepare` wrote, and runs in the project's folder (or its parent's):
#   sh .gpu/run.sh [--short] [--software] [--out FOLDER] [--budget SECONDS] [--only TEXT]
# Everything is unpacked into a new folder below ${TMPDIR:-/tmp}; the machine is left as it was.
set -eu
PATH=$PATH:/usr/sbin:/sbin # ldconfig
since=$(date +%s)
here=$(cd "$(dirname "$0")" && pwd)
[ -f deno.json ] || cd "$here/.."
[ -f deno.json ] || { echo "Cannot bench as this must run in PlainRL's folder: $PWD" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/plainrl-gpu.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work" # what a crash leaves behind goes with it

expand() { # FILE.xz to standard output
  if command -v xz >/dev/null 2>&1; then xz -dc "$1"; return; fi
  python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"
}

(cd "$here" && sha256sum -c --quiet SHA256SUMS) || exit 1
expand "$here/deno.xz" >"$work/deno"
chmod +x "$work/deno"
mkdir -m 700 "$work/cache" "$work/runtime"
expand "$here/packages.tar.xz" | tar -xf - -C "$work/cache"

has() { ldconfig -p 2>/dev/null | grep -q "$1"; }
if ! has 'libvulkan\.so\.1' || [ -n "${PLAINRL_LOADER:-}" ]; then
  for deb in "$here"/loaders/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
  libraries=$work/root/usr/lib/x86_64-linux-gnu
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  echo "Vulkan loader: the one carried along"
fi

# Containers often have NVIDIA's driver, and no file that tells the loader so.
known() { ls /etc/vulkan/icd.d/*nvidia* /usr/share/vulkan/icd.d/*nvidia* >/dev/null 2>&1; }
mounted=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
case " $* " in *" --software "*) software=1 ;; *) software= ;; esac
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -z "$software" ] && ! known; then
  if [ -f "$mounted" ]; then
    export VK_DRIVER_FILES=$mounted
  elif has libGLX_nvidia; then
    printf '{"file_format_version": "1.0.1", "ICD": {"library_path": "%s", "api_version": "%s"}}\n' \
      libGLX_nvidia.so.0 1.3.242 >"$work/nvidia_icd.json"
    export VK_DRIVER_FILES="$work/nvidia_icd.json"
  fi
  [ -z "${VK_DRIVER_FILES:-}" ] || echo "Vulkan driver: $VK_DRIVER_FILES"
fi

export DENO_DIR="$work/cache" DENO_NO_UPDATE_CHECK=1 DENO_WEBGPU_BACKEND=vulkan
# Packages are found under the name of the registry that they are said to come from.
export NPM_CONFIG_REGISTRY=http://localhost/
export XDG_RUNTIME_DIR="$work/runtime" HOME="${HOME:-$work}"
echo "unpacked in $(($(date +%s) - since)) s"
again= tries=0
while :; do
  code=0
  # shellcheck disable=SC2086 -- empty, or one flag
  "$work/deno" run --no-prompt -A --cached-only bench/gpu/main.ts --since "$since" "$@" $again ||
    code=$?
  # 0: done. 1: could not start. 2: a row failed. Above: the process crashed, and its results remain.
  [ "$code" -gt 2 ] && [ "$tries" -lt 5 ] || exit "$code"
  tries=$((tries + 1)) again=--resume
  echo "crashed with $code: going on after the row that ran"
done

#!/bin/sh
# Builds kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kubectl from Debian's source package, and what a
# pause container runs.
#
#   build.sh OUT MIRROR      needs golang-go, golang-github-modern-go-reflect2-dev and gcc; 34 MB from the mirror, minutes of CPU, 5 GB below the directory of OUT
#
# 1.20 is the last version that Debian has as a source package with everything vendored, and its kubelet still speaks to dockerd.
set -eu
out=$1 mirror=$2
work=$(mktemp -d "$(dirname "$out")/kubernetes.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"

mkdir -p lists/partial tree gopath/src/k8s.io
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >sources.list
set -- -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Acquire::Check-Valid-Until=false
apt-get "$@" -q update >/dev/null
apt-get "$@" -q source --download-only kubernetes >/dev/null
tar xzf kubernetes_*.orig.tar.gz -C tree --strip-components=1
# 1.20.5+really1.20.2
version=$(echo kubernetes_*.orig.tar.gz | sed 's/^kubernetes_\(.*\)\.orig.*/\1/; s/.*really//')
ln -s "$work/tree" gopath/src/k8s.io/kubernetes
cd gopath/src/k8s.io/kubernetes

# The vendored one knows the maps of Go before 1.18 only: an API server with it dies at the first object of a CRD.
rm -r vendor/github.com/modern-go/reflect2
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/

# Modules would want to edit go.mod; the tree is complete as a GOPATH.
export GOPATH="$work/gopath" GO111MODULE=off CGO_ENABLED=0 GOCACHE="$work/cache" GOFLAGS=-p=2
# The one generated file that the archive leaves out: the OpenAPI of all packages that ask for it.
go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
packages=$(grep -rl --include='*.go' '+k8s:openapi-gen=true' pkg staging/src | grep -v /zz_generated |
    xargs -n1 dirname | sort -u | sed 's,^staging/src/,k8s.io/kubernetes/vendor/,; s,^pkg/,k8s.io/kubernetes/pkg/,' | paste -sd,)
"$work/openapi-gen" -O zz_generated.openapi -p k8s.io/kubernetes/pkg/generated/openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations" -i "$packages"
mkdir -p "$work/bin"
go build -ldflags "-s -w -X k8s.io/kubernetes/vendor/k8s.io/component-base/version.gitVersion=v$version" -o "$work/bin/" \
    ./cmd/kube-apiserver ./cmd/kube-controller-manager ./cmd/kube-scheduler ./cmd/kubelet \
    ./cmd/kubectl

# What holds a pod's namespaces: sleeps until it is told to end.
cat >"$work/pause.c" <<'PAUSE'
#include <signal.h>
#include <unistd.h>
static void end(int number) { (void)number; _exit(0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); for (;;) pause(); }
PAUSE
cc -Os -static -o "$work/bin/pause" "$work/pause.c"
mv "$work/bin" "$out"

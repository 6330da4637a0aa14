# Images of the agent and of the service (docs/how-to/container-image.md):
#   podman build --target agent .        podman build --target service .        or both, with labels: make image
#
# What compiles and installs runs on the machine that builds, also for another architecture (--platform linux/arm64):
# the last stages only copy, so that no emulator is needed. They hold no compiler and no pip of ours.

# Index digests: one for all architectures. Another base of the same layout, e.g. a mirror's: --build-arg PYTHON=…
ARG PYTHON=docker.io/library/python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3
# The same Python with compilers.
ARG BUILDER=docker.io/library/python:3.11.15-bookworm@sha256:a8f8fbe1a0edc9e4dddafa64ba73f7e04be7be5ebc23f332362e779e0a2e4e52

FROM ${PYTHON} AS python

FROM --platform=${BUILDPLATFORM} ${BUILDER} AS tools
# NVIDIA's run-time compiler, so that the images bring code for its GPUs. It is for these machines only, and stays behind;
# --build-arg DEVICE_COMPILER= leaves the code out.
ARG DEVICE_COMPILER="nvidia-cuda-nvrtc-cu12>=12.9,<13; platform_machine in 'x86_64 aarch64'"
WORKDIR /source
COPY deploy/image/pip.sh deploy/image/tools.sh /image/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca-bundle \
    sh /image/tools.sh

FROM tools AS kernels
ARG TARGETARCH
# For a quick build: one variant, one kernel, or none at all. Of the variants the agent chooses when it runs.
ARG SITECAP_ONLY_VARIANTS
ARG SITECAP_ONLY_KERNELS
ARG SITECAP_NO_KERNELS
COPY deploy/image/target.sh deploy/image/wheel.sh /image/
COPY CMakeLists.txt LICENSE README.md pyproject.toml ./
COPY payloads payloads
# A wheel of nothing else, thrown away: what it leaves compiled stays, whatever changes in the packages below.
RUN --mount=type=bind,from=python,source=/,target=/target \
    mkdir agent capacity computing_model probes profiles sitecap && sh /image/wheel.sh /tmp/wheels && rm -r /tmp/wheels

FROM kernels AS wheel
ARG TARGETARCH
ARG SITECAP_ONLY_VARIANTS
ARG SITECAP_ONLY_KERNELS
ARG SITECAP_NO_KERNELS
COPY profiles profiles
COPY sitecap sitecap
COPY computing_model computing_model
COPY probes probes
COPY agent agent
COPY capacity capacity
RUN --mount=type=bind,from=python,source=/,target=/target \
    sh /image/wheel.sh /wheels

FROM tools AS libraries
COPY deploy/image/target.sh deploy/image/libraries.sh /image/
COPY pyproject.toml ./

FROM libraries AS agent-libraries
ARG TARGETARCH
# On ppc64le there are no wheels of numpy and XRootD: give --build-arg AGENT_EXTRAS=daemon,gpu-nvidia,
# or build on a POWER machine, where they are compiled.
ARG AGENT_EXTRAS=bench,daemon,gpu-nvidia,xrootd
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca-bundle \
    sh /image/libraries.sh "${AGENT_EXTRAS}"

FROM agent-libraries AS agent-files
ARG TARGETARCH
COPY deploy/image/install.sh /image/
COPY LICENSE ./
COPY --from=wheel /wheels /wheels
RUN sh /image/install.sh agent

FROM libraries AS service-libraries
ARG TARGETARCH
ARG SERVICE_EXTRAS=analysis,postgres,service
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca-bundle \
    sh /image/libraries.sh "${SERVICE_EXTRAS}"

FROM service-libraries AS service-files
ARG TARGETARCH
COPY deploy/image/install.sh /image/
COPY LICENSE ./
COPY --from=wheel /wheels /wheels
RUN sh /image/install.sh capacity

FROM python AS agent
# Two layers: that of the libraries is the same in the next version.
COPY --from=agent-libraries /opt/sitecap /opt/sitecap
COPY --from=agent-files /own/opt/sitecap /opt/sitecap
ENV PATH=/opt/sitecap/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1
WORKDIR /
USER 10001:10001
# Of `agent daemon`: /healthz, /readyz, /metrics.
EXPOSE 9617
ENTRYPOINT ["/opt/sitecap/bin/python", "-I", "-m", "agent"]
CMD ["probe"]
# No HEALTHCHECK: a run that ends has no health, and the daemon's is asked by Kubernetes, at /healthz.
ARG PYTHON
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="sitecap agent" \
      org.opencontainers.image.description="Tells what a worker node is worth to a CMS job, and what is in its way" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="The sitecap developers" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${PYTHON}" \
      sitecap.sbom="/opt/sitecap/share/sbom.cdx.json"

FROM python AS service
COPY --from=service-libraries /opt/sitecap /opt/sitecap
COPY --from=service-files /own/opt/sitecap /opt/sitecap
COPY deploy/image/healthcheck.py /opt/sitecap/share/healthcheck.py
# Group 0 may write: platforms that give a container a user of their own give it this group.
COPY --from=service-files --chown=10001:0 /data /var/lib
ENV PATH=/opt/sitecap/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    SITECAP_CAPACITY_DATA_DIRECTORY=/var/lib/sitecap \
    SITECAP_CAPACITY_SERVER__HOST=0.0.0.0
WORKDIR /
USER 10001:10001
VOLUME ["/var/lib/sitecap"]
EXPOSE 8443
ENTRYPOINT ["/opt/sitecap/bin/python", "-I", "-m", "capacity"]
CMD ["serve"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/opt/sitecap/bin/python", "-I", "/opt/sitecap/share/healthcheck.py"]
ARG PYTHON
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="sitecap capacity service" \
      org.opencontainers.image.description="Turns profiles of worker nodes into HS06-equivalent capacity" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="The sitecap developers" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${PYTHON}" \
      sitecap.sbom="/opt/sitecap/share/sbom.cdx.json"

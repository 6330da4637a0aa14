{{/* The pod: dict of root and gpu. */}}
{{- define "sitecap-agent.pod" -}}
{{- $values := .root.Values -}}
{{- $name := include "sitecap-agent.name" .root -}}
{{- $node := eq $values.profile "node" -}}
{{- $root := and $node (eq (int64 $values.node.runAsUser) 0) -}}
{{- if eq $values.profile "label" -}}
serviceAccountName: {{ $name }}
{{ end -}}
# The label profile mounts its token itself, short-lived.
automountServiceAccountToken: false
# Kubernetes would tell of services in variables such as SITECAP_CAPACITY_SERVICE_HOST, which look like settings.
enableServiceLinks: false
hostNetwork: false
hostPID: false
hostIPC: false
{{- if $values.priorityClass.create }}
priorityClassName: {{ include "sitecap-agent.clusterName" .root }}
{{- else if $values.priorityClass.name }}
priorityClassName: {{ $values.priorityClass.name }}
{{- end }}
{{- if .gpu }}
runtimeClassName: {{ $values.gpu.runtimeClassName }}
{{- end }}
terminationGracePeriodSeconds: {{ int64 $values.terminationGraceSeconds }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: {{ not $root }}
  runAsUser: {{ if $node }}{{ int64 $values.node.runAsUser }}{{ else }}10001{{ end }}
  runAsGroup: {{ if $root }}0{{ else }}10001{{ end }}
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "sitecap-agent.affinity" . }}
{{- $tolerations := $values.tolerations }}
{{- if .gpu }}{{ $tolerations = concat $tolerations $values.gpu.tolerations }}{{ end }}
{{- with $tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: agent
    image: {{ include "sitecap-agent.image" .root }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: [daemon]
    env:
      {{- include "sitecap-agent.env" . | nindent 6 }}
    {{- with $values.secretEnvironment }}
    envFrom:
      - secretRef: {name: {{ . }}}
    {{- end }}
    ports:
      - name: metrics
        containerPort: 9617
        protocol: TCP
    # The first look at a slow node may take its time; after that an answer costs nothing.
    startupProbe:
      httpGet: {path: /healthz, port: metrics}
      periodSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: /healthz, port: metrics}
      periodSeconds: 30
      timeoutSeconds: 5
      failureThreshold: 5
    readinessProbe:
      httpGet: {path: /readyz, port: metrics}
      periodSeconds: 15
      timeoutSeconds: 5
    resources:
      requests:
        {{- toYaml $values.resources | nindent 8 }}
      limits:
        {{- toYaml $values.resources | nindent 8 }}
    securityContext:
      allowPrivilegeEscalation: false
      privileged: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      {{- include "sitecap-agent.mounts" . | nindent 6 }}
volumes:
  {{- include "sitecap-agent.volumes" . | nindent 2 }}
{{- end -}}

{{/* Node affinity: what the admin wants, and on which side of the GPU label this DaemonSet is. */}}
{{- define "sitecap-agent.affinity" -}}
{{- $expressions := .root.Values.nodeExpressions -}}
{{- if .root.Values.gpu.enabled -}}
{{- $operator := ternary "In" "NotIn" .gpu -}}
{{- $expressions = append $expressions (dict "key" .root.Values.gpu.nodeLabel "operator" $operator "values" (list "true")) -}}
{{- end -}}
{{- with $expressions }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            {{- toYaml . | nindent 12 }}
{{- end -}}
{{- end -}}

{{/* What the pod is, by the downward API; the agent compares the limits with what the kernel enforces. */}}
{{- define "sitecap-agent.env" -}}
- {name: SITECAP_CONFIG, value: /etc/sitecap/agent.toml}
- {name: HOME, value: /tmp}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
- {name: CPU_LIMIT, valueFrom: {resourceFieldRef: {containerName: agent, resource: limits.cpu}}}
- {name: MEMORY_LIMIT, valueFrom: {resourceFieldRef: {containerName: agent, resource: limits.memory}}}
- {name: EPHEMERAL_STORAGE_LIMIT, valueFrom: {resourceFieldRef: {containerName: agent, resource: limits.ephemeral-storage}}}
{{- if .gpu }}
# All of the node's GPUs are seen without asking for one, which would take it from a job.
- {name: NVIDIA_VISIBLE_DEVICES, value: all}
- {name: NVIDIA_DRIVER_CAPABILITIES, value: {{ .root.Values.gpu.driverCapabilities | quote }}}
{{- end }}
{{- end -}}

{{/* The DaemonSet of the nodes without a GPU (or of all), or that of the nodes with one: dict of root and gpu. */}}
{{- define "sitecap-agent.daemonset" -}}
{{- $values := .root.Values -}}
{{- $component := ternary "gpu" "agent" .gpu -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ include "sitecap-agent.name" .root }}{{ if .gpu }}-gpu{{ end }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sitecap-agent.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ $component }}
spec:
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "sitecap-agent.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ $component }}
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: {{ $values.update.maxUnavailable }}
  template:
    metadata:
      labels:
        {{- include "sitecap-agent.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ $component }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "sitecap-agent.pod" . | nindent 6 }}
{{- end -}}

{{/* What pods of the service and of the migration have in common. */}}
{{- define "sitecap-capacity.pod-start" -}}
automountServiceAccountToken: false
# Kubernetes would tell of this very service in variables such as SITECAP_CAPACITY_SERVICE_HOST, which look like settings.
enableServiceLinks: false
hostNetwork: false
hostPID: false
hostIPC: false
{{- with .Values.priorityClass.name }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "sitecap-capacity.container-start" -}}
image: {{ include "sitecap-capacity.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  requests:
    {{- toYaml .Values.resources | nindent 4 }}
  limits:
    {{- toYaml .Values.resources | nindent 4 }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- with .Values.secretEnvironment }}
envFrom:
  - secretRef: {name: {{ . }}}
{{- end }}
{{- end -}}

{{- define "sitecap-capacity.database-env" -}}
- {name: HOME, value: /tmp}
- name: SITECAP_CAPACITY_DATABASE__URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.urlSecret.name }}, key: {{ .Values.database.urlSecret.key }}}
{{- end -}}

{{- define "sitecap-capacity.database-mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.database.caConfigMap.name }}
- {name: database-ca, mountPath: /etc/sitecap-ca/database, readOnly: true}
{{- end }}
{{- end -}}

{{- define "sitecap-capacity.database-volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 512Mi}
{{- with .Values.database.caConfigMap }}
{{- if .name }}
- name: database-ca
  configMap: {name: {{ .name }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- end -}}

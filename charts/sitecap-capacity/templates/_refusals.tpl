{{/* What the schema cannot say in a sentence: values that contradict each other. */}}
{{- define "sitecap-capacity.refusals" -}}
{{- if and .Values.autoscaling.enabled (gt (int64 .Values.autoscaling.minReplicas) (int64 .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas (%d) is above autoscaling.maxReplicas (%d)" (int64 .Values.autoscaling.minReplicas) (int64 .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.trustedProxies) -}}
{{- fail "ingress.enabled needs the addresses of the controller's pods in trustedProxies, such as 10.0.0.0/8: without them every client looks like the controller" -}}
{{- end -}}
{{- end -}}

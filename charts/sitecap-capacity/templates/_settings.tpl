{{/* The service's own settings, as TOML: what the admin writes into `config`, and over it what the pod is. */}}
{{- define "sitecap-capacity.settings" -}}
{{- $server := dict "host" "0.0.0.0" "port" 8443 -}}
{{- with .Values.trustedProxies }}{{ $_ := set $server "trusted_proxies" . }}{{ end -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $server "tls_certificate" "/etc/sitecap-tls/tls.crt" -}}
{{- $_ := set $server "tls_key" "/etc/sitecap-tls/tls.key" -}}
{{- end -}}
{{- $settings := dict "server" $server "auth" (dict "public_read" .Values.publicRead) "log" (dict "format" "json") -}}
{{- toToml (mergeOverwrite $settings (deepCopy .Values.config)) | trim -}}
{{- end -}}

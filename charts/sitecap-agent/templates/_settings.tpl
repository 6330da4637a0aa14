{{/* The agent's own settings, as TOML: what the values say, and over it what the admin writes into `config`. */}}
{{- define "sitecap-agent.settings" -}}
{{- $delivery := dict "spool_directory" "/var/spool/sitecap" -}}
{{- with .Values.delivery -}}
{{- if .url }}{{ $_ := set $delivery "url" .url }}{{ end -}}
{{- if .proxy }}{{ $_ := set $delivery "proxy" .proxy }}{{ end -}}
{{- if .tokenSecret.name }}{{ $_ := set $delivery "token_file" "/var/run/secrets/sitecap/delivery/token" }}{{ end -}}
{{- if .caConfigMap.name }}{{ $_ := set $delivery "ca_file" "/etc/sitecap-ca/ca.crt" }}{{ end -}}
{{- end -}}
{{- $bench := dict "cache_directory" "/var/cache/sitecap" -}}
{{- $settings := dict "delivery" $delivery "bench" $bench -}}
{{- if .Values.site }}{{ $_ := set $settings "site_name" .Values.site }}{{ end -}}
{{- if not .Values.outbound }}{{ $_ := set $settings "site_profile" "no-outbound" }}{{ end -}}
{{- toToml (mergeOverwrite $settings (deepCopy .Values.config)) | trim -}}
{{- end -}}

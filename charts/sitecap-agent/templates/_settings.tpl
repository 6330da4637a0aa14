{{/* The agent's own settings, as TOML: what the values say, and over it what the admin writes into `config`. */}}
{{- define "sitecap-agent.settings" -}}
{{- $settings := dict "bench" (dict "cache_directory" "/var/cache/sitecap") -}}
{{- with .Values.delivery -}}
{{- if .url -}}
{{- $delivery := dict "url" .url "spool_directory" "/var/spool/sitecap" -}}
{{- if .proxy }}{{ $_ := set $delivery "proxy" .proxy }}{{ end -}}
{{- if .tokenSecret.name }}{{ $_ := set $delivery "token_file" "/var/run/secrets/sitecap/delivery/token" }}{{ end -}}
{{- if .caConfigMap.name }}{{ $_ := set $delivery "ca_file" "/etc/sitecap-ca/ca.crt" }}{{ end -}}
{{- $_ := set $settings "delivery" $delivery -}}
{{- end -}}
{{- end -}}
{{- if .Values.site }}{{ $_ := set $settings "site_name" .Values.site }}{{ end -}}
{{- if not .Values.outbound }}{{ $_ := set $settings "site_profile" "no-outbound" }}{{ end -}}
{{- toToml (mergeOverwrite $settings (deepCopy .Values.config)) | trim -}}
{{- end -}}

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
{{- /* Whom in the cluster it tells: what the profile's token and mounts allow, and nothing else. */ -}}
{{- $label := eq .Values.profile "label" -}}
{{- $cluster := dict "node_feature" $label "events" (and $label .Values.label.events) -}}
{{- if $label }}{{ $_ := set $cluster "service_account_path" "/var/run/secrets/kubernetes.io/serviceaccount" }}{{ end -}}
{{- if and (eq .Values.profile "node") .Values.node.featuresDirectory }}{{ $_ := set $cluster "feature_file" "/features.d/sitecap" }}{{ end -}}
{{- /* The pod's own tree: the node's is mounted in no profile. */ -}}
{{- $daemon := dict "root" "/" "port" 9617 "cluster" $cluster -}}
{{- /* What the pod's own limits and this chart withhold is no finding about the node: else every node were critical. */ -}}
{{- $ours := "the limits are those of the agent's own pod, not of a job" -}}
{{- $none := "this pod may start no containers; jobs are judged by a pilot" -}}
{{- $skip := dict "CPU-01" $ours "MEM-02" $ours "CNT-01" $none "CNT-03" $none -}}
{{- if eq .Values.cvmfs.source "none" -}}
{{- $mount := "the chart mounts no /cvmfs (cvmfs.source)" -}}
{{- $skip = merge $skip (dict "CFG-01" $mount "CVM-13" $mount) -}}
{{- end -}}
{{- $settings := dict "site_name" .Values.site "delivery" $delivery "bench" $bench "daemon" $daemon "skip_checks" $skip -}}
{{- if not .Values.outbound }}{{ $_ := set $settings "site_profile" "no-outbound" }}{{ end -}}
{{- toToml (mergeOverwrite $settings (deepCopy .Values.config)) | trim -}}
{{- end -}}

{{/* Where things are in the container, and what they are: mounts and volumes of the same names. */}}
{{- define "sitecap-agent.mounts" -}}
{{- $values := .root.Values -}}
- {name: config, mountPath: /etc/sitecap, readOnly: true}
- {name: tmp, mountPath: /tmp}
- {name: spool, mountPath: /var/spool/sitecap}
- {name: cache, mountPath: /var/cache/sitecap}
{{- if $values.delivery.tokenSecret.name }}
- {name: delivery-token, mountPath: /var/run/secrets/sitecap/delivery, readOnly: true}
{{- end }}
{{- if $values.delivery.caConfigMap.name }}
- {name: delivery-ca, mountPath: /etc/sitecap-ca, readOnly: true}
{{- end }}
{{- if eq $values.profile "label" }}
- {name: kubernetes-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
{{- if and (eq $values.profile "node") $values.node.featuresDirectory }}
- {name: features, mountPath: /features.d}
{{- end }}
{{- if ne $values.cvmfs.source "none" }}
# The automounter mounts a repository when it is first asked for, which must reach into the container.
- {name: cvmfs, mountPath: /cvmfs, readOnly: true, mountPropagation: HostToContainer}
{{- end }}
{{- end -}}

{{- define "sitecap-agent.volumes" -}}
{{- $values := .root.Values -}}
{{- $name := include "sitecap-agent.name" .root -}}
- name: config
  configMap: {name: {{ $name }}}
- name: tmp
  emptyDir: {sizeLimit: {{ $values.volumes.tmpSize }}}
- name: spool
  {{- if and (eq $values.profile "node") $values.node.spoolDirectory }}
  hostPath: {path: {{ $values.node.spoolDirectory }}, type: DirectoryOrCreate}
  {{- else }}
  emptyDir: {sizeLimit: {{ $values.volumes.spoolSize }}}
  {{- end }}
- name: cache
  emptyDir: {sizeLimit: {{ $values.volumes.cacheSize }}}
{{- with $values.delivery.tokenSecret }}
{{- if .name }}
- name: delivery-token
  secret: {secretName: {{ .name }}, defaultMode: 0440, items: [{key: {{ .key }}, path: token}]}
{{- end }}
{{- end }}
{{- with $values.delivery.caConfigMap }}
{{- if .name }}
- name: delivery-ca
  configMap: {name: {{ .name }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- if eq $values.profile "label" }}
- name: kubernetes-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
{{- if and (eq $values.profile "node") $values.node.featuresDirectory }}
- name: features
  hostPath: {path: {{ $values.node.featuresDirectory }}, type: DirectoryOrCreate}
{{- end }}
{{- if eq $values.cvmfs.source "csi" }}
- name: cvmfs
  persistentVolumeClaim: {claimName: {{ $name }}-cvmfs}
{{- else if eq $values.cvmfs.source "claim" }}
- name: cvmfs
  persistentVolumeClaim: {claimName: {{ $values.cvmfs.claim }}}
{{- else if eq $values.cvmfs.source "host" }}
- name: cvmfs
  hostPath: {path: /cvmfs, type: Directory}
{{- end }}
{{- end -}}

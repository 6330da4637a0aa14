{{/* What the schema cannot say in a sentence: values that contradict each other. */}}
{{- define "sitecap-agent.refusals" -}}
{{- if and (eq .Values.cvmfs.source "host") (ne .Values.profile "node") -}}
{{- fail "cvmfs.source=host mounts a path of the node: set profile=node, or take /cvmfs from the CSI driver with cvmfs.source=csi" -}}
{{- end -}}
{{- if and (eq .Values.cvmfs.source "claim") (not .Values.cvmfs.claim) -}}
{{- fail "cvmfs.source=claim needs the name of the claim in cvmfs.claim" -}}
{{- end -}}
{{- if and .Values.delivery.url (not .Values.outbound) -}}
{{- fail "outbound=false sends nothing, but delivery.url is set: leave one of them out" -}}
{{- end -}}
{{- if and (or .Values.label.events .Values.label.admissionPolicy) (ne .Values.profile "label") -}}
{{- fail "label.events and label.admissionPolicy are about the token of profile=label: set that, or leave them out" -}}
{{- end -}}
{{- end -}}

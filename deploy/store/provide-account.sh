#!/bin/sh
# Gives documents an account of its own in MinIO, limited by policy.json to its bucket. Run again it
# changes nothing, but for the password where that was changed.
set -eu

mc alias set store "$STORE_URL" "$ROOT_USER" "$ROOT_PASSWORD"
mc admin policy create store documents /store/policy.json
mc admin user add store documents "$DOCUMENTS_PASSWORD"
# MinIO refuses to attach what is attached.
case $(mc admin user info --json store documents) in
*'"policyName"'*documents*) ;;
*) mc admin policy attach store documents --user documents ;;
esac

# The same with this machine's way to its package registry; only the stage that builds stands on it.
FROM neuromfa-test/python
COPY pip.conf /etc/pip.conf
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt

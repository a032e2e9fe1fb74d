"""desk-reports: what a broker's desk reads every day, as functions of the gateway. It changes nothing."""

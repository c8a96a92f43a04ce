;;; codeintel-test.el --- codeintel.el in a real Emacs  -*- lexical-binding: t; -*-

;;; Commentary:
;; `emacs --batch -Q -l codeintel-test.el', with CODEINTEL_PROJECT and CODEINTEL_EL in the
;; environment.  The last line tells how many passed.

;;; Code:

(require 'ert)
(require 'eglot)
(load (getenv "CODEINTEL_EL") nil t)

(defconst test-project (file-name-as-directory (getenv "CODEINTEL_PROJECT")))
(setq vc-follow-symlinks t make-backup-files nil create-lockfiles nil)

(defun test-open (path)
  "Visit PATH of the project, in the selected window."
  (switch-to-buffer (find-file-noselect (concat test-project path)))
  (goto-char (point-min)))

(defun test-wait (check)
  "Wait until CHECK is true."
  (with-timeout (40 (ert-fail "it never happened"))
    (while (not (funcall check)) (accept-process-output nil 0.05))))

(defun test-blame ()
  "What is shown at the end of the current line, once it is."
  (codeintel--erase)
  (codeintel--blame (current-buffer))
  (test-wait (lambda () codeintel--overlay))
  (string-trim (substring-no-properties (overlay-get codeintel--overlay 'after-string))))

(ert-deftest search-shows-references ()
  (test-open "src/retry.py")
  (codeintel--ask 'updateIndex)
  (let (shown)
    (cl-letf (((symbol-function 'xref-show-xrefs)
               (lambda (fetch _) (setq shown (funcall fetch)))))
      (codeintel-search "forget entries that are too old"))
    (should (equal "ExpiringCache" (xref-item-summary (car shown))))
    (let ((location (xref-item-location (car shown))))
      (should (string-suffix-p "src/cache.py" (xref-location-group location)))
      (should (= 1 (xref-location-line location))))))

(ert-deftest jumping-goes-there ()
  (test-open "src/cache.py")
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_ table &rest _) (car (all-completions "" table)))))
    (codeintel-jump "refuse clients that ask too often"))
  (should (string-suffix-p "src/server.go" buffer-file-name)))

(ert-deftest similar-code-leaves-the-place-out ()
  (test-open "steps/step_7.py")
  (let (shown)
    (cl-letf (((symbol-function 'xref-show-xrefs)
               (lambda (fetch _) (setq shown (funcall fetch)))))
      (codeintel-similar (point-min) (point-max)))
    (should shown)
    (dolist (item shown)
      (should-not (string-suffix-p "step_7.py" (xref-location-group
                                                (xref-item-location item)))))))

(ert-deftest history-shows-what-a-commit-did ()
  (test-open "src/cache.py")
  (let (offered)
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_ table &rest _) (setq offered (all-completions "" table))
                 (car offered))))
      (codeintel-history))
    (should (equal 3 (length offered)))
    (should (string-match-p "Grace Example  Call it seconds" (car offered)))
    (should (eq major-mode 'diff-mode))
    (should (string-match-p "^-    def __init__(self, ttl):" (buffer-string)))))

(ert-deftest blame-is-right-for-unsaved-text ()
  (test-open "src/cache.py")
  (codeintel-blame-mode 1)
  (forward-line 6)
  (should (equal "Grace Example, 2020-09-13 · Call it seconds" (test-blame)))
  (goto-char (point-min))
  (insert "new\n")
  (forward-line -1)
  (should (equal "Not committed yet" (test-blame)))
  (forward-line 7)
  (should (equal "Grace Example, 2020-09-13 · Call it seconds" (test-blame)))
  (codeintel-blame-mode -1)
  (should-not codeintel--overlay)
  (set-buffer-modified-p nil)
  (kill-buffer))

(ert-deftest what-is-wrong-is-told ()
  (test-open "src/cache.py")
  (should-error (codeintel--ask 'semanticSearch :query "") :type 'user-error)
  (with-temp-buffer
    (setq default-directory "/")
    (should-error (codeintel-search "x") :type 'user-error)))

(ert-deftest eglot-itself-can-be-the-client ()
  (add-to-list 'eglot-server-programs '(python-mode . ("codeintel-ls" "connect")))
  (test-open "src/cache.py")
  (python-mode)
  (let ((eglot-sync-connect 60)) (call-interactively #'eglot))
  (test-wait #'eglot-current-server)
  (should (eq (codeintel--server) (eglot-current-server)))
  (forward-line 6)
  (let ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover
                                (eglot--TextDocumentPositionParams))))
    (should (string-match-p "Grace Example" (format "%s" hover))))
  (should (equal "Grace Example"
                 (let* ((answer (codeintel--ask 'blameRange
                                                :uri (codeintel--uri buffer-file-name)
                                                :startLine 6 :endLine 6))
                        (id (plist-get (aref (plist-get answer :hunks) 0) :commit)))
                   (plist-get (plist-get (plist-get (plist-get answer :commits)
                                                    (intern (concat ":" id)))
                                         :author)
                              :name))))
  (eglot-shutdown (eglot-current-server)))

(ert-run-tests-batch-and-exit)
;;; codeintel-test.el ends here
